import { expect, test } from 'vitest';
import { leavesWithFreshToken, oneRenewalAtATime, type Renewal, renewsWithReason } from './renewal.ts';
import { createRequestRecord } from './testing/request-record.ts';
import type { RequestRecord, TraceEvent } from './trace.ts';

/** One phone, whose clock the test sets, and what it has sent; refresh tokens are `r1`, `r2`… of pairs with access tokens `a1`, `a2`…. */
interface Clock {
  readonly phones: [{ nowMs: number }];
  requestsOut(): readonly RequestRecord[];
}
const RENEW = 'POST /auth/refresh';

const renewal: Renewal<Clock> = {
  endpoint: RENEW,
  tokenOf: ({ body }) => body ?? '',
  pairOf: (_world, token) => ({ accessToken: `a${token.slice(1)}`, session: token.length, dueMs: 270_000 }),
  brought: (_world, event) =>
    event.kind === 'request' && event.phase === 'received' && event.request.endpoint === RENEW && event.note === '200'
      ? `a${Number(event.request.body?.slice(1)) + 1}`
      : undefined,
  adoptedAtMs: (_world, token) => (token === 'a1' ? 0 : undefined),
  graceMs: 5_000,
};

const renew = (token: string, nth = 1) => createRequestRecord({ id: nth, endpoint: RENEW, body: token });
const call = (token: string) =>
  createRequestRecord({ endpoint: 'GET /me', headers: { authorization: `Bearer ${token}` } });
const at = (request: ReturnType<typeof renew>, phase: 'sent' | 'received', note = ''): TraceEvent => ({
  kind: 'request',
  phase,
  request,
  note,
  atMs: 0,
  phone: 0,
});
const jump: TraceEvent = { kind: 'clock', byMs: 3_600_000, atMs: 0, phone: 0 };

/** What is found when the phone's clock reads so many ms at each event. */
function found(
  watch: (world: Clock) => (event: TraceEvent) => string | undefined,
  events: readonly (readonly [number, TraceEvent])[],
): string[] {
  const sent: RequestRecord[] = [];
  const world: Clock = { phones: [{ nowMs: 0 }], requestsOut: () => sent };
  const look = watch(world);
  return events.flatMap(([nowMs, event]) => {
    world.phones[0].nowMs = nowMs;
    if (event.kind === 'request' && event.phase === 'sent') sent.push(event.request);
    return look(event) ?? [];
  });
}

test('lets a token be renewed when it is due, or was refused', () => {
  const watch = renewsWithReason(renewal, 'steady');

  expect(found(watch, [[266_000, at(renew('r1'), 'sent')]])).toEqual([]);
  expect(
    found(watch, [
      [10_000, at(call('a1'), 'received', '401')],
      [10_000, at(renew('r1'), 'sent')],
    ]),
  ).toEqual([]);
  expect(found(watch, [[10_000, at(renew('r1'), 'sent')]])).toEqual([
    'a1 was renewed 10 s after it came, and no request had been refused with it.',
  ]);
});

test('counts the age of a token from the answer that brought it, and a second try as no renewal', () => {
  const watch = renewsWithReason(renewal, 'steady');
  const brought = [
    [266_000, at(renew('r1'), 'sent')],
    [266_100, at(renew('r1'), 'received', '200')],
  ] as const;

  expect(found(watch, [...brought, [276_100, at(renew('r2'), 'sent')]])).toEqual([
    'a2 was renewed 10 s after it came, and no request had been refused with it.',
  ]);
  expect(found(watch, [...brought, [276_100, at(renew('r1', 2), 'sent')]])).toEqual([]);
});

test('looks at phones whose clock has jumped apart from the others', () => {
  const early = [
    [0, jump],
    [3_600_000, at(renew('r1'), 'received', '200')],
    [3_610_000, at(renew('r2'), 'sent')],
  ] as const;

  expect(found(renewsWithReason(renewal, 'steady'), early)).toEqual([]);
  expect(found(renewsWithReason(renewal, 'jumped'), early)).toEqual([
    'a2 was renewed 10 s after it came, and no request had been refused with it.',
  ]);
});

test('takes the age of a token for unknown once the clock has jumped', () => {
  const late = [
    [0, jump],
    [3_600_000, at(call('a1'), 'sent')],
  ] as const;

  expect(
    found(
      leavesWithFreshToken(renewal, () => () => true),
      late,
    ),
  ).toEqual([]);
});

test('lets no call leave with a token that is due, but those that are sent again', () => {
  const first = leavesWithFreshToken(renewal, () => () => true);
  const again = leavesWithFreshToken(renewal, () => () => false);

  expect(found(first, [[271_000, at(call('a1'), 'sent')]])).toEqual([]);
  expect(found(first, [[272_000, at(call('a1'), 'sent')]])).toEqual([
    'GET /me left with a1 272 s after it came; it was due after 270 s.',
  ]);
  expect(found(again, [[272_000, at(call('a1'), 'sent')]])).toEqual([]);
});

test('lets each session have one renewal out', () => {
  const watch = oneRenewalAtATime(renewal);

  expect(
    found(watch, [
      [0, at(renew('r1', 1), 'sent')],
      [0, at(renew('r10', 2), 'sent')],
    ]),
  ).toEqual([]);
  expect(
    found(watch, [
      [0, at(renew('r1', 1), 'sent')],
      [0, at(renew('r2', 2), 'sent')],
    ]),
  ).toEqual(['Renewal 2 left while another was still out.']);
});
