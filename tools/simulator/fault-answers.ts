// Answers that a fault gives in the backend's place.

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

const PORTAL_PAGE =
  '<!doctype html><html><head><title>Welcome to Free WiFi</title></head><body>Please sign in.</body></html>';

export const isAnswerFault = (kind: string): boolean => kind.startsWith('answer-');

/** The answer of an `answer-…` fault or a captive portal. */
export function answerOfFault(
  kind: string,
  draw: (min: number, max: number, what: string) => number,
  serverNowMs: number,
): Answer {
  if (kind === 'portal')
    return { status: 200, headers: new Headers({ 'content-type': 'text/html' }), body: PORTAL_PAGE };
  const status = Number(kind.split('-')[1]);
  const headers = new Headers({ 'content-type': 'application/json', date: new Date(serverNowMs).toUTCString() });
  if (kind === 'answer-429-seconds') headers.set('retry-after', String(Math.ceil(draw(1, 45, 'retry-after'))));
  if (kind === 'answer-429-date') {
    // One in four dates is already past: wait no longer than the back-off does.
    const inMs = draw(-15_000, 45_000, 'retry-after');
    headers.set('retry-after', new Date(serverNowMs + inMs).toUTCString());
  }
  return {
    status,
    headers,
    body: JSON.stringify({ error: `refused_${status}`, message: `The server answered ${status}.` }),
  };
}
