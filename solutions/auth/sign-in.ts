// The way in: a password, and perhaps a code. One thing at a time is tried; what comes of it counts for its own visit only.
import type { Credentials } from '#contract/auth';
import { AuthFailure } from './failure.ts';
import type { OtpFlow, Safe } from './safe.ts';
import { type Answer, isUser, readFlow, readPair, refusalOf, type Server } from './server.ts';
import type { Sessions } from './sessions.ts';
import type { Visit, Visits } from './visits.ts';

type SignOut = () => Promise<void>;

export function createSignIn(visits: Visits, safe: Safe, server: Server, sessions: Sessions, signOut: SignOut) {
  async function signIn(credentials: Credentials): Promise<void> {
    await visits.ready();
    await server.mustBeOnline();
    if (visits.getState().status !== 'signedOut' || visits.current().entering) await signOut();
    const own = visits.leave('sessionChanged');
    await enter(own, () => logIn(own, credentials));
  }

  /** Whoever comes meanwhile shares its end. */
  function enter(own: Visit, run: () => Promise<void>): Promise<void> {
    own.entering ??= run().finally(() => {
      own.entering = null;
    });
    return own.entering;
  }

  /** Sends nothing for a visit that is over, and has no answer for one that has ended meanwhile. */
  async function post(own: Visit, path: string, fields: Record<string, string>, key: string): Promise<Answer> {
    own.stillOn();
    const answer = await server.post(path, fields, key);
    own.stillOn();
    return answer;
  }

  async function logIn(own: Visit, { email, password }: Credentials): Promise<void> {
    const deviceId = await safe.deviceId();
    const login = { email, password, deviceId, deviceName: 'Phone' };
    const answer = await post(own, '/auth/login', login, crypto.randomUUID());
    const isAsked = answer.status === 200 && answer.body.requires2FA === true;
    const flow = isAsked ? readFlow(answer.body) : null;
    if (!flow) return admit(own, answer);
    await safe.keepFlow(own, flow);
    visits.askForCode(own, flow);
  }

  async function admit(own: Visit, answer: Answer): Promise<void> {
    const { status, body } = answer;
    const pair = readPair(body);
    if (status !== 200 || !pair || !isUser(body.user)) throw refusalOf(answer);
    await sessions.begin(own, body.user, pair);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // The code

  async function verifyOtp(code: string): Promise<void> {
    const own = await visits.ready();
    const { otpFlowId } = flowOf(own);
    if (!/^\d{6}$/.test(code)) throw new AuthFailure('badCode');
    await enter(own, () => tryCode(own, '/auth/otp/verify', { otpFlowId, code }));
  }

  async function useBackupCode(backupCode: string): Promise<void> {
    const own = await visits.ready();
    const { otpFlowId } = flowOf(own);
    await enter(own, () => tryCode(own, '/auth/backup-codes/verify', { otpFlowId, backupCode }));
  }

  async function tryCode(own: Visit, path: string, fields: Record<string, string>): Promise<void> {
    // The same code has the same key, also after a kill: the server may have taken it, and its answer was lost.
    const answer = await post(own, path, fields, server.keyOf(JSON.stringify(fields)));
    const { status, body } = answer;
    if (status === 410) return endEntry(own);
    if (status === 422 && typeof body.attemptsLeft === 'number')
      await changeFlow(own, { ...flowOf(own), attemptsLeft: body.attemptsLeft });
    await admit(own, answer);
  }

  async function resendOtp(): Promise<void> {
    const own = await visits.ready();
    const { otpFlowId, maskedDestination, nextResendAt } = flowOf(own);
    if (Date.now() < Date.parse(nextResendAt)) throw new AuthFailure('cooldown');
    const answer = await post(own, '/auth/otp/resend', { otpFlowId }, crypto.randomUUID());
    if (answer.status === 410) return endEntry(own);
    const renewed = answer.status === 200 ? readFlow({ ...answer.body, otpFlowId, maskedDestination }) : null;
    if (!renewed) throw refusalOf(answer);
    await changeFlow(own, renewed);
  }

  function flowOf({ flow }: Visit): OtpFlow {
    if (!flow) throw new AuthFailure('flowEnded');
    return flow;
  }

  /** Survives a kill, if the keychain takes it; what the screen shows is right in any case. */
  async function changeFlow(own: Visit, flow: OtpFlow): Promise<void> {
    await safe.keepFlow(own, flow).catch(() => undefined);
    visits.askForCode(own, flow);
  }

  async function endEntry(own: Visit): Promise<never> {
    await safe.clear(own).catch(() => undefined);
    visits.end(own, 'flowEnded');
    throw new AuthFailure('flowEnded');
  }

  return { signIn, verifyOtp, useBackupCode, resendOtp };
}
