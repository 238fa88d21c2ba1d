// The auth service: what it is asked, and what its answers mean. Owns the requests that carry no access token.
import type { User } from '#contract/auth';
import type { Tokens } from '#contract/token-refresh';
import type { Device } from '#phone';
import { areTokens, type Fields, isObject, postJson, withTimeLimit } from '#solutions/token-refresh';
import { AuthFailure, failAs } from './failure.ts';
import type { OtpFlow } from './safe.ts';

const REQUEST_MS = 10_000;

export interface Answer {
  readonly status: number;
  readonly body: Fields;
}

export type Server = ReturnType<typeof createServer>;

/** `closing`: aborts, with its reason, what is out at dispose. */
export function createServer({ netInfo, quickCrypto }: Device, apiUrl: string, closing: AbortSignal) {
  async function mustBeOnline(): Promise<void> {
    if (!(await netInfo.fetch()).isConnected) throw new AuthFailure('offline');
  }

  /** `key`: the same for each try of the same thing. The time covers the body too. */
  async function post(path: string, fields: object, key: string, ...stops: AbortSignal[]): Promise<Answer> {
    await mustBeOnline();
    const send = (limit: AbortSignal) => postJson(apiUrl + path, fields, { 'Idempotency-Key': key }, limit);
    const { status, body } = await withTimeLimit(REQUEST_MS, [closing, ...stops], send).catch(failAs('network'));
    return { status, body: body ?? {} };
  }

  /** Keys end up in logs: no token can be read from a hash. */
  const keyOf = (what: string): string => quickCrypto.createHash('sha256').update(what).digest('hex');

  /** Only three words of the server end a session. All else, however bad it looks, is no verdict. */
  async function renew(refreshToken: string, signal: AbortSignal): Promise<Tokens | 'ended'> {
    const { status, body } = await post('/auth/refresh', { refreshToken }, keyOf(refreshToken), signal);
    const isVerdict = ['session_revoked', 'token_reused', 'refresh_expired'].includes(String(body.code));
    if (status === 401 && isVerdict) return 'ended';
    const pair = status === 200 ? readPair(body) : null;
    if (!pair) throw new AuthFailure('network');
    return pair;
  }

  return { post, keyOf, renew, mustBeOnline };
}

/** Why nobody comes in by this answer. */
export function refusalOf({ status, body: { code } }: Answer): AuthFailure {
  if (status === 429) return new AuthFailure('tooMany');
  if (status === 401 && code === 'bad_credentials') return new AuthFailure('badCredentials');
  return new AuthFailure(status === 422 && code === 'wrong_code' ? 'badCode' : 'network');
}

export function readPair({ accessToken, refreshToken }: Fields): Tokens | null {
  if (!isObject(accessToken) || !isObject(refreshToken)) return null;
  const { token, expiresInSeconds } = accessToken;
  const pair = { accessToken: token, refreshToken: refreshToken.token, expiresIn: expiresInSeconds };
  return areTokens(pair) ? pair : null;
}

export const isUser = (value: unknown): value is User =>
  isObject(value) && [value.id, value.name, value.email].every(isText);

/** Times by the phone's clock, from now. Null when something is missing. */
export function readFlow(fields: Fields): OtpFlow | null {
  const { otpFlowId, maskedDestination, expiresInSeconds, resendInSeconds, attemptsLeft } = fields;
  if (!isText(otpFlowId) || !isText(maskedDestination)) return null;
  if (!isNumber(expiresInSeconds) || !isNumber(resendInSeconds) || !isNumber(attemptsLeft)) return null;
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();
  const nextResendAt = inSeconds(resendInSeconds);
  return { otpFlowId, maskedDestination, expiresAt: inSeconds(expiresInSeconds), nextResendAt, attemptsLeft };
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number';
