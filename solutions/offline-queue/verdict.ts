// What an answer means for whoever may ask again.
import { type Fields, isObject } from '#solutions/token-refresh';

export interface Refusal {
  readonly status: number;
  /** The server's own words; empty when it gave none. */
  readonly message: string;
}

export type Verdict<Body = Fields> =
  | { readonly kind: 'accepted'; readonly body: Body }
  /** For good: asking again will not help. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'unauthorised' }
  /** The effect may have happened or not; the idempotency key makes it safe to ask again. */
  | { readonly kind: 'transient'; readonly retryAfterMs: number | null };

/** Also for no answer at all. */
export const TRY_AGAIN: Verdict<never> = { kind: 'transient', retryAfterMs: null };

export async function judge(response: Response): Promise<Verdict> {
  const { status, headers } = response;
  if (status === 401) return { kind: 'unauthorised' };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return { kind: 'transient', retryAfterMs: retryAfterMs(headers) };
  }
  const body: unknown = await response.json().catch(() => null);
  // A captive portal answers 200 with a page, and a cut answer is no JSON: neither proves that the server has it.
  if (response.ok) return isObject(body) ? { kind: 'accepted', body } : TRY_AGAIN;
  if (status < 400) return TRY_AGAIN;
  const message = isObject(body) && typeof body.message === 'string' ? body.message : '';
  return { kind: 'refused', refusal: { status, message } };
}

/** RFC 9110, 10.2.3: seconds or a date. The date is held against the server's own `Date`: the phone's may be wrong. */
export function retryAfterMs(headers: Headers): number | null {
  const value = headers.get('Retry-After')?.trim() ?? '';
  const serverNowMs = Date.parse(headers.get('Date') ?? '') || Date.now();
  const waitMs = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - serverNowMs;
  return waitMs > 0 ? waitMs : null;
}
