// The protocol: an API that hands out links, and a storage host that knows links and nothing else.
import type { UploaderOptions, UploadTarget } from '#contract/resumable-upload';
import { retryAfterMs } from '#solutions/offline-queue';
import { type Fields, isObject } from '#solutions/token-refresh';

const LINKS_AT_ONCE = 10;

/** What a target rejects with. */
export interface Refusal {
  readonly status: number;
  readonly retryAfterMs: number | null;
}

export function createMultipartTarget({ apiUrl, fetch: ask = fetch }: UploaderOptions): UploadTarget {
  /** By upload and part: the answer that holds its link. Links of one answer were made, and expire, together. */
  const links = new Map<string, Map<number, Promise<Map<number, string>>>>();

  async function call(
    method: string,
    path: string,
    body: object | null,
    extra: Record<string, string> = {},
  ): Promise<Fields> {
    const response = await ask(`${apiUrl}/uploads${path}`, {
      method,
      headers: { ...(body && { 'Content-Type': 'application/json' }), ...extra },
      body: body && JSON.stringify(body),
    });
    const answer: unknown = response.ok ? await response.json().catch(() => null) : null;
    // A captive portal answers 200 with a page.
    if (!isObject(answer)) throw refusalIn(response);
    return answer;
  }

  function linksOf(remoteId: string): Map<number, Promise<Map<number, string>>> {
    const known = links.get(remoteId) ?? new Map<number, Promise<Map<number, string>>>();
    links.set(remoteId, known);
    return known;
  }

  /** Asks for the links of the parts that come next together with the one that is needed now. */
  function linksFor(remoteId: string, part: number, ahead: readonly number[]): Promise<Map<number, string>> {
    const known = linksOf(remoteId);
    const found = known.get(part);
    if (found) return found;
    const parts = [part, ...ahead.slice(0, LINKS_AT_ONCE - 1).filter((next) => !known.has(next))];
    const asked = call('POST', `/${remoteId}/urls`, { parts }).then(({ urls }) => new Map(listed(urls, 'url')));
    for (const one of parts) known.set(one, asked);
    asked.catch(() => forget(remoteId, asked));
    return asked;
  }

  function forget(remoteId: string, asked: Promise<Map<number, string>>): void {
    const known = linksOf(remoteId);
    for (const [part, answer] of known) if (answer === asked) known.delete(part);
  }

  return {
    async create(file, key) {
      const { uploadId, partSize } = await call('POST', '', file, { 'Idempotency-Key': key });
      if (typeof uploadId !== 'string' || typeof partSize !== 'number') throw NO_ANSWER;
      return { remoteId: uploadId, partSize };
    },
    async have(remoteId) {
      const { parts, fileUrl } = await call('GET', `/${remoteId}`, null);
      const known = listed(parts, 'etag').map(([part, etag]) => ({ part, etag }));
      return { parts: known, ...(typeof fileUrl === 'string' && { fileUrl }) };
    },
    async put(remoteId, part, bytes, signal, ahead) {
      const asked = linksFor(remoteId, part, ahead);
      const url = (await asked).get(part);
      if (url === undefined) {
        forget(remoteId, asked);
        throw NO_ANSWER;
      }
      // Not through `ask`: a token has no business on another host.
      const response = await fetch(url, { method: 'PUT', body: bytes, signal });
      if (response.status === 403) {
        forget(remoteId, asked);
        return 'link-expired';
      }
      const etag = response.headers.get('ETag');
      if (!response.ok || etag === null) throw refusalIn(response);
      return { etag };
    },
    async complete(remoteId, parts) {
      const { fileUrl } = await call('POST', `/${remoteId}/complete`, { parts });
      if (typeof fileUrl !== 'string') throw NO_ANSWER;
      links.delete(remoteId);
      return { fileUrl };
    },
    async abandon(remoteId) {
      links.delete(remoteId);
      await ask(`${apiUrl}/uploads/${remoteId}`, { method: 'DELETE' });
    },
  };
}

export const NO_ANSWER: Refusal = { status: 0, retryAfterMs: null };

const refusalIn = ({ status, headers }: Response): Refusal => ({ status, retryAfterMs: retryAfterMs(headers) });

/** A target rejects with what it was told; whatever else is thrown means that there was no answer. */
export function readRefusal(error: unknown): Refusal {
  if (!isObject(error) || typeof error.status !== 'number') return NO_ANSWER;
  const { status, retryAfterMs } = error;
  return { status, retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : null };
}

/** Parts with what an answer says of each. An answer that is not whole is none. */
function listed(value: unknown, name: 'etag' | 'url'): [number, string][] {
  if (!Array.isArray(value)) throw NO_ANSWER;
  return value.map((one: unknown): [number, string] => {
    const { part, [name]: text }: Fields = isObject(one) ? one : {};
    if (typeof part !== 'number' || typeof text !== 'string') throw NO_ANSWER;
    return [part, text];
  });
}
