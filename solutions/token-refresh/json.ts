// JSON over the wire and from the disk: nothing is known of it before it has been looked at.

export type Fields = { readonly [name: string]: unknown };

export interface JsonAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Null when it is no JSON object, as behind a captive portal. */
  readonly body: Fields | null;
}

/** Posts JSON with the global `fetch`, and reads the answer to its end. */
export async function postJson(
  url: string,
  fields: object,
  headers: Record<string, string>,
  signal: AbortSignal | null = null,
): Promise<JsonAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(fields),
    signal,
  });
  const body: unknown = await response.json().catch(() => null);
  return { status: response.status, headers: response.headers, body: isObject(body) ? body : null };
}

/** Null for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
