// What comes from the server and from the disk.
import type { AuthErrorCode, OtpState, User } from '#contract/auth';

export interface Pass {
  readonly user: User;
  readonly access: string;
  readonly refresh: string;
  readonly lastsMs: number;
  /** By the phone's clock: of the token, and of the last word from the server. */
  readonly receivedAtMs: number;
}

export interface Flow extends OtpState {
  readonly id: string;
}

/** What the keychain knows of sign-outs: debts, and whether one was cut off. */
export interface Out {
  readonly debts: readonly string[];
  readonly isLeaving: boolean;
}

export interface Reply {
  readonly status: number;
  readonly body: Body;
}
export type Body = { readonly [name: string]: unknown };

const VERDICTS = new Set<unknown>(['session_revoked', 'token_reused', 'refresh_expired']);
export const isVerdict = ({ status, body }: Reply): boolean => status === 401 && VERDICTS.has(body.code);

export function refusalOf({ status, body }: Reply): AuthErrorCode {
  switch (`${status} ${body.code}`) {
    case '401 bad_credentials':
      return 'badCredentials';
    case '422 wrong_code':
      return 'badCode';
    default:
      return status === 429 ? 'tooMany' : 'network';
  }
}

export function passOf({ status, body }: Reply, user: User): Pass | null {
  const access = asBody(body.accessToken);
  const refresh = asBody(body.refreshToken);
  if (status !== 200 || typeof access?.token !== 'string' || typeof refresh?.token !== 'string') return null;
  const lastsMs = Number(access.expiresInSeconds) * 1_000;
  return lastsMs > 0 ? { user, access: access.token, refresh: refresh.token, lastsMs, receivedAtMs: Date.now() } : null;
}

export function flowOf(body: Body, known: Flow | null): Flow | null {
  const { otpFlowId = known?.id, maskedDestination = known?.maskedDestination, attemptsLeft } = body;
  if (typeof otpFlowId !== 'string' || typeof maskedDestination !== 'string') return null;
  const numbers = [attemptsLeft, body.expiresInSeconds, body.resendInSeconds];
  if (typeof attemptsLeft !== 'number' || !numbers.every(Number.isFinite)) return null;
  const after = (seconds: unknown) => new Date(Date.now() + Number(seconds) * 1_000).toISOString();
  return {
    id: otpFlowId,
    maskedDestination,
    expiresAt: after(body.expiresInSeconds),
    nextResendAt: after(body.resendInSeconds),
    attemptsLeft,
  };
}

export const shown = ({ maskedDestination, expiresAt, nextResendAt, attemptsLeft }: Flow): OtpState => ({
  maskedDestination,
  expiresAt,
  nextResendAt,
  attemptsLeft,
});

export function asUser(value: unknown): User | null {
  const { id, name, email } = asBody(value) ?? {};
  if (typeof id !== 'string' || typeof name !== 'string' || typeof email !== 'string') return null;
  return { id, name, email };
}

export function asPass(value: Body | null): Pass | null {
  const user = asUser(value?.user);
  const { access, refresh, lastsMs, receivedAtMs } = value ?? {};
  if (!user || typeof access !== 'string' || typeof refresh !== 'string') return null;
  return { user, access, refresh, lastsMs: Number(lastsMs), receivedAtMs: Number(receivedAtMs) };
}

export function asFlow(value: Body | null): Flow | null {
  const { id, maskedDestination, expiresAt, nextResendAt, attemptsLeft } = value ?? {};
  if (typeof id !== 'string' || typeof expiresAt !== 'string' || typeof nextResendAt !== 'string') return null;
  return {
    id,
    maskedDestination: String(maskedDestination),
    expiresAt,
    nextResendAt,
    attemptsLeft: Number(attemptsLeft),
  };
}

export function asOut(value: Body | null): Out {
  const debts: unknown[] = Array.isArray(value?.debts) ? value.debts : [];
  return { debts: debts.filter((one) => typeof one === 'string'), isLeaving: value?.isLeaving === true };
}

export function asBody(value: unknown): Body | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
}

export function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return null;
  }
}
