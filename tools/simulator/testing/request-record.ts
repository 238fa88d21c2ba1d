import type { RequestRecord } from '../trace.ts';

/** A request to `/notes`, as it leaves. */
export const createRequestRecord = (given: Partial<RequestRecord> = {}): RequestRecord => ({
  id: 1,
  phone: 0,
  launch: 1,
  endpoint: 'POST /notes',
  nth: given.id ?? 1,
  method: 'POST',
  url: 'https://api.test/notes',
  headers: {},
  body: null,
  sentAtMs: 0,
  sentOnline: true,
  arrivedAtMs: null,
  endedAtMs: null,
  outcome: null,
  retryAfterMs: null,
  ...given,
});
