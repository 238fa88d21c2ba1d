// Being signed in: a session of the session pattern, on a keychain of ours. The pattern renews, repeats, and stores a pair
// before anybody goes on; here it is decided what that means for who is in. Owns the door to what is protected, and the
// 72 hours without the server.
import type { DeviceSession, User } from '#contract/auth';
import type { RefreshTokens, Session, SessionError, Tokens } from '#contract/token-refresh';
import type { Device } from '#phone';
import { createSession, withTimeLimit } from '#solutions/token-refresh';
import { AuthFailure } from './failure.ts';
import type { KeptSession, Safe } from './safe.ts';
import type { Server } from './server.ts';
import type { Visit, Visits } from './visits.ts';

const RESTORE_MS = 5_000;
const CALL_MS = 10_000;
/** Longer than the session pattern needs for all its tries. */
const RENEWAL_MS = 30_000;
const OFFLINE_LIMIT_MS = 72 * 3_600_000;

export type Sessions = ReturnType<typeof createSessions>;

export function createSessions(device: Device, apiUrl: string, visits: Visits, safe: Safe, server: Server) {
  /** The pattern's keychain is this visit's part of our one value, or the vault. */
  function open(own: Visit, kept: KeptSession): Session {
    let { refreshToken } = kept;
    const keychain = {
      getItemAsync: async () => kept.record,
      setItemAsync: (_key: string, record: string) =>
        keepPair(own, { user: kept.user, refreshToken, validatedAtMs: Date.now(), record }),
      deleteItemAsync: () => safe.clear(own),
    };
    const refresh: RefreshTokens = async (token, signal) => {
      const verdict = await server.renew(token, signal);
      if (verdict !== 'ended') refreshToken = verdict.refreshToken;
      return verdict;
    };
    const sessionDevice: Device = { ...device, secureStore: { ...device.secureStore, ...keychain } };
    const session = createSession({ device: sessionDevice, apiUrl, refresh });
    session.subscribe(() => {
      if (session.getState().reason === 'session-ended' && !own.over) visits.end(own, 'signedOut', 'server');
    });
    own.kept = kept;
    own.session = session;
    return session;
  }

  async function keepPair(own: Visit, kept: KeptSession): Promise<void> {
    await safe.keep(own, kept);
    const { stale, lock } = visits.getState();
    if (stale || lock === 'offlineLimit') visits.letIn(own, true);
  }

  async function begin(own: Visit, user: User, pair: Tokens): Promise<void> {
    const { refreshToken } = pair;
    const session = open(own, { user, refreshToken, validatedAtMs: Date.now(), record: '' });
    await session.start();
    await session.adopt({ ...pair, userId: user.id }).catch((cause: unknown) => {
      own.stillOn();
      throw new AuthFailure('storage', cause);
    });
    visits.letIn(own, true);
  }

  async function takeUp(own: Visit, kept: KeptSession): Promise<void> {
    await open(own, kept).start();
    await decide(own);
  }

  /** In, in with what is stored, or kept out because the server was not heard for too long. */
  async function decide(own: Visit): Promise<void> {
    const token = await withTimeLimit(RESTORE_MS, [visits.closing], () => freshToken(own)).catch(() => null);
    if (own.over) return;
    if (isPastLimit(own)) visits.lock('offlineLimit');
    else visits.letIn(own, token !== null);
  }

  /** One that lasts for a while: renewed first where it must be. */
  const freshToken = async ({ session }: Visit): Promise<string | null> => session?.getAccessToken() ?? null;

  /** A renewal may mend now what it could not before. */
  function backOnline(): void {
    const { stale, lock } = visits.getState();
    if (stale || lock === 'offlineLimit') void decide(visits.current());
  }

  function backInFront(): void {
    const own = visits.current();
    if (visits.getState().status !== 'signedIn' || !isPastLimit(own)) return;
    visits.lock('offlineLimit');
    void decide(own);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The door

  async function authFetch(path: string, init: RequestInit = {}): Promise<Response> {
    const own = await visits.ready();
    const { session } = own;
    const { status } = visits.getState();
    if (status !== 'signedIn' || !session) throw new AuthFailure(status === 'locked' ? 'locked' : 'signedOut');
    const stops = init.signal ? [init.signal, visits.closing] : [visits.closing];
    try {
      await withTimeLimit(RENEWAL_MS, stops, () => freshToken(own));
      await server.mustBeOnline();
      const send = (signal: AbortSignal) => session.fetch(apiUrl + path, { ...init, signal });
      return await withTimeLimit(CALL_MS, stops, send);
    } catch (cause) {
      own.stillOn();
      throw init.signal?.aborted ? cause : translated(own, cause);
    }
  }

  /** The words of the session pattern in ours. */
  function translated(own: Visit, failure: unknown): AuthFailure {
    if (failure instanceof AuthFailure) return failure;
    const { code, cause } = failure as SessionError;
    const isRenewalInDoubt = code === 'network' || code === 'refresh-unavailable';
    if (isRenewalInDoubt && visits.getState().status === 'signedIn') visits.letIn(own, false);
    // What our keychain, or our renewal, has failed with.
    if (cause instanceof AuthFailure) return cause;
    // The pattern says `network` for an offline phone.
    return new AuthFailure(code === 'network' ? 'offline' : 'network', failure);
  }

  async function listSessions(): Promise<DeviceSession[]> {
    const answer = await authFetch('/auth/sessions');
    const body: unknown = await answer.json().catch(() => null);
    if (!answer.ok || !Array.isArray(body)) throw new AuthFailure('network');
    return body;
  }

  async function endSession(sessionId: string): Promise<void> {
    const { ok, status } = await authFetch(`/auth/sessions/${encodeURIComponent(sessionId)}`, { method: 'DELETE' });
    if (!ok && status !== 404) throw new AuthFailure('network');
  }

  return { begin, takeUp, decide, backOnline, backInFront, fetch: authFetch, listSessions, endSession };
}

const isPastLimit = ({ kept }: Visit): boolean => Date.now() - (kept?.validatedAtMs ?? 0) >= OFFLINE_LIMIT_MS;
