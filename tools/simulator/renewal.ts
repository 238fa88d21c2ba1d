// Invariants about access tokens that run out, and how an app renews them.
import { atSend, type Requests } from './at-send.ts';
import type { RequestRecord, TraceEvent } from './trace.ts';

/** A request's access token; '' without one. */
export const bearerOf = ({ headers }: RequestRecord): string => headers.authorization?.replace(/^Bearer /, '') ?? '';

/** What a server knows of a pair of tokens. */
export interface KnownPair {
  readonly accessToken: string;
  /** Whatever tells the sessions of a server apart. */
  readonly session: unknown;
  /** So long after it came the access token is due to be renewed, in ms. */
  readonly dueMs: number;
}

interface Phones extends Requests {
  readonly phones: readonly { readonly nowMs: number }[];
}

/** How a kata's world tells of its tokens. */
export interface Renewal<World extends Phones> {
  /** Such as `POST /auth/refresh`. */
  readonly endpoint: string;
  /** The refresh token that a renewal carries; '' without one. */
  readonly tokenOf: (request: RequestRecord) => string;
  /** By an access token or a refresh token; undefined for one that the server has not given. */
  readonly pairOf: (world: World, token: string) => KnownPair | undefined;
  /** The access token that this event brings to the app. */
  readonly brought: (world: World, event: TraceEvent) => string | undefined;
  /** When the app got an access token that no event has brought, by the phone's clock in ms. */
  readonly adoptedAtMs?: (world: World, token: string) => number | undefined;
  /** What clocks and a slow disk may add to the age of a token, in ms. */
  readonly graceMs: number;
}

type Watch<World> = (world: World) => (event: TraceEvent) => string | undefined;

/** A token about to end may still be sent for so long, in ms. */
const LATE_MS = 1_000;

/** A session has one renewal out at most. */
export const oneRenewalAtATime = <World extends Phones>({ endpoint, tokenOf, pairOf }: Renewal<World>): Watch<World> =>
  atSend<World>((world) => {
    const sessionOf = (request: RequestRecord) => pairOf(world, tokenOf(request))?.session;
    return (sent, others) => {
      if (sent.endpoint !== endpoint) return undefined;
      const isTwin = (other: RequestRecord) => other.endpoint === endpoint && sessionOf(other) === sessionOf(sent);
      return others().some(isTwin) ? `Renewal ${sent.nth} left while another was still out.` : undefined;
    };
  });

/**
 * A first try with a refresh token needs a reason: its access token is due, or was refused. Looks at phones whose clock
 * has jumped since the run began, or at the others: there a wrong clock is no excuse.
 */
export const renewsWithReason =
  <World extends Phones>(renewal: Renewal<World>, phones: 'jumped' | 'steady'): Watch<World> =>
  (world) => {
    const ages = agesOf(world, renewal);
    const refused = new Set<string>();
    const tried = new Set<string>();
    return (event) => {
      ages.note(event);
      if (event.kind !== 'request') return undefined;
      const { request } = event;
      if (event.phase === 'received' && event.note === '401') refused.add(bearerOf(request));
      if (event.phase !== 'sent' || request.endpoint !== renewal.endpoint) return undefined;
      const token = renewal.tokenOf(request);
      const pair = renewal.pairOf(world, token);
      if (!pair || tried.has(token)) return undefined;
      tried.add(token);
      if (refused.has(pair.accessToken) || ages.hasJumped() !== (phones === 'jumped')) return undefined;
      const ageMs = ages.ofToken(pair.accessToken, event.phone);
      if (ageMs === null || ageMs >= pair.dueMs - renewal.graceMs) return undefined;
      return `${pair.accessToken} was renewed ${seconds(ageMs)} s after it came, and no request had been refused with it.`;
    };
  };

/** The first request of a call does not leave with a token that is due. `isFirst` is asked once for each request. */
export const leavesWithFreshToken =
  <World extends Phones>(renewal: Renewal<World>, isFirst: () => (request: RequestRecord) => boolean): Watch<World> =>
  (world) => {
    const ages = agesOf(world, renewal);
    const isFirstOfCall = isFirst();
    return (event) => {
      ages.note(event);
      if (event.kind !== 'request' || event.phase !== 'sent' || !isFirstOfCall(event.request)) return undefined;
      const token = bearerOf(event.request);
      const ageMs = ages.ofToken(token, event.phone);
      const dueMs = renewal.pairOf(world, token)?.dueMs ?? 0;
      if (ageMs === null || ageMs <= dueMs + LATE_MS) return undefined;
      return `${event.request.endpoint} left with ${token} ${seconds(ageMs)} s after it came; it was due after ${seconds(dueMs)} s.`;
    };
  };

/** When the app got each access token, and whether the phone's clock has jumped since. */
function agesOf<World extends Phones>(world: World, { brought, adoptedAtMs }: Renewal<World>) {
  const seen = new Map<string, { readonly atMs: number; readonly jumps: number }>();
  let jumps = 0;
  const nowMs = (phone: number) => world.phones[phone]?.nowMs ?? 0;
  return {
    note(event: TraceEvent): void {
      if (event.kind === 'clock') jumps += 1;
      const token = brought(world, event);
      if (token !== undefined) seen.set(token, { atMs: nowMs(event.phone), jumps });
    },
    /** In ms by the phone's clock; null when that has jumped since, or nobody knows. */
    ofToken(token: string, phone: number): number | null {
      const known = seen.get(token);
      if ((known?.jumps ?? 0) !== jumps) return null;
      const sinceMs = known?.atMs ?? adoptedAtMs?.(world, token);
      return sinceMs === undefined ? null : nowMs(phone) - sinceMs;
    },
    hasJumped: () => jumps > 0,
  };
}

const seconds = (ms: number): number => Math.round(ms / 1_000);
