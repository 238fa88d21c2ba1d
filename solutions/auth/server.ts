// The auth service: what it is asked, and what its answers mean, in tables. Owns the requests that carry no access token.
import type { AuthErrorCode, OtpState } from '#contract/auth';
import type { RefreshTokens, Tokens } from '#contract/token-refresh';
import type { Device } from '#phone';
import { isObject, type JsonAnswer, postJson, withTimeLimit } from '#solutions/token-refresh';
import { failAs, refusal } from './refusals.ts';

export const REQUEST_MS = 10_000;

export function createServer({ netInfo, quickCrypto }: Device, apiUrl: string) {
  async function mustBeOnline(): Promise<void> {
    if (!(await netInfo.fetch()).isConnected) throw refusal('offline');
  }

  /** Gives what was promised, of which there is a sample (null for a 204), or rejects with what the answer means. */
  async function ask<T>(sample: T, signal: AbortSignal, path: string, fields: object, key?: string): Promise<T> {
    await mustBeOnline();
    // The same request has the same key, also after a kill: the server may have done it, and its answer was lost.
    // Keys end up in logs: no token can be read from a hash.
    const hash = quickCrypto.createHash('sha256').update(path + JSON.stringify(fields));
    const headers = { 'Idempotency-Key': key ?? hash.digest('hex') };
    const send = (limit: AbortSignal) => postJson(apiUrl + path, fields, headers, limit);
    const answer = await withTimeLimit(REQUEST_MS, [signal], send).catch(failAs('network'));
    if (answer.status === (sample === null ? 204 : 200) && isLike(answer.body, sample)) return answer.body;
    throw refusalOf(path, answer);
  }

  const refresh: RefreshTokens = (refreshToken, signal) =>
    ask(PAIR, signal, '/auth/refresh', { refreshToken }).then(pairOf, (failure) =>
      failure.code === 'signedOut' ? 'ended' : Promise.reject(failure),
    );

  return { mustBeOnline, ask, refresh };
}

// ---------------------------------------------------------------------------------------------------------------------

/** By the end of the path, status and code. All else, however bad it looks, is no answer. */
const VERDICTS: readonly [RegExp, AuthErrorCode][] = [
  [/login 401 bad_credentials$/, 'badCredentials'],
  [/(login|verify|resend) 429 /, 'tooMany'],
  [/verify 422 wrong_code$/, 'badCode'],
  [/(verify|resend) 410 /, 'flowEnded'],
  [/refresh 401 (session_revoked|token_reused|refresh_expired)$/, 'signedOut'],
];

const refusalOf = (path: string, { status, body }: JsonAnswer) => {
  const found = VERDICTS.find(([pattern]) => pattern.test(`${path} ${status} ${body?.code}`));
  return refusal(found?.[1] ?? 'network', body);
};

export const PAIR = { accessToken: { token: '', expiresInSeconds: 0 }, refreshToken: { token: '' } };
export const ADMISSION = { ...PAIR, user: { id: '', name: '', email: '' } };
export const TIMES = { expiresInSeconds: 0, resendInSeconds: 0, attemptsLeft: 0 };
export const ENTRY = { requires2FA: true, otpFlowId: '', maskedDestination: '', ...TIMES };

/** Whether all that is in the sample is there, and of the same types. */
export function isLike<T>(value: unknown, sample: T): value is T {
  if (!isObject(sample)) return typeof value === typeof sample;
  return isObject(value) && Object.entries(sample).every(([name, part]) => isLike(value[name], part));
}

export function pairOf({ accessToken, refreshToken }: typeof PAIR): Tokens {
  const { token, expiresInSeconds } = accessToken;
  return { accessToken: token, refreshToken: refreshToken.token, expiresIn: expiresInSeconds };
}

export interface CodeEntry {
  readonly otpFlowId: string;
  readonly otp: OtpState;
}

/** Times by the phone's clock. */
export function entryOf({ otpFlowId, maskedDestination, ...times }: Omit<typeof ENTRY, 'requires2FA'>): CodeEntry {
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();
  const expiresAt = inSeconds(times.expiresInSeconds);
  const nextResendAt = inSeconds(times.resendInSeconds);
  return { otpFlowId, otp: { maskedDestination, expiresAt, nextResendAt, attemptsLeft: times.attemptsLeft } };
}
