import { expect, test } from 'vitest';
import { growsRarer, waitsForRetryAfter } from './pace.ts';
import { createRequestRecord } from './testing/request-record.ts';
import type { TraceEvent } from './trace.ts';

const sent = (atMs: number, nth = 1): TraceEvent => ({
  kind: 'request',
  phase: 'sent',
  request: createRequestRecord({ id: nth }),
  note: '',
  atMs,
  phone: 0,
});
const received = (atMs: number, note: string, retryAfterMs: number | null = null, nth = 1): TraceEvent => ({
  kind: 'request',
  phase: 'received',
  request: createRequestRecord({ id: nth, retryAfterMs }),
  note,
  atMs,
  phone: 0,
});
const launch = (atMs: number): TraceEvent => ({ kind: 'launch', launch: 2, atMs, phone: 0 });
const wake = (atMs: number): TraceEvent => ({ kind: 'condition', condition: 'online', atMs, phone: 0 });

const rarer = (more: { endsWithAnySuccess?: boolean } = {}) =>
  growsRarer({
    keyOf: ({ id }) => `Save ${id}`,
    climbing: 3,
    everyMs: 4_000,
    isWake: ({ kind }) => kind === 'condition',
    ...more,
  })();

const found = (watch: (event: TraceEvent) => string | undefined, events: readonly TraceEvent[]) =>
  events.map(watch).filter((text) => text !== undefined);

test('lets tries climb the ladder, and then only as often as time allows', () => {
  expect(found(rarer(), [sent(0), sent(500), sent(1_500), sent(4_000)])).toEqual([]);
  expect(found(rarer(), [sent(0), sent(500), sent(1_500), sent(3_900)])).toEqual([
    'Save 1 was sent 4 times within 4 s without a success in between.',
  ]);
});

test('allows one more try for each reason to try at once', () => {
  expect(found(rarer(), [sent(0), sent(500), wake(600), sent(600), sent(900)])).toEqual([]);
});

test('begins anew with a launch, and with a success of the same thing', () => {
  const before = [sent(0), sent(10), sent(20)];

  expect(found(rarer(), [...before, launch(25), sent(30)])).toEqual([]);
  expect(found(rarer(), [...before, received(25, '201'), sent(30)])).toEqual([]);
  expect(found(rarer(), [...before, received(25, '503'), sent(30)])).toHaveLength(1);
  expect(found(rarer(), [...before, received(25, '201', null, 2), sent(30)])).toHaveLength(1);
});

test('begins anew for all with any success, where that is the promise', () => {
  const events = [sent(0), sent(10), sent(20), received(25, '201', null, 2), sent(30)];

  expect(found(rarer({ endsWithAnySuccess: true }), events)).toEqual([]);
});

const patient = () => waitsForRetryAfter({ keyOf: ({ id }) => (id === 9 ? undefined : `Save ${id}`), graceMs: 5 })();

test('catches a try before Retry-After is over', () => {
  expect(found(patient(), [sent(0), received(100, '429', 2_000), sent(2_096)])).toEqual([]);
  expect(found(patient(), [sent(0), received(100, '429', 2_000), sent(2_000)])).toEqual([
    'Save 1 left 100 ms before its Retry-After was over.',
  ]);
});

test('holds back neither what the pause is not about, nor a new launch', () => {
  const told = [sent(0), received(100, '429', 2_000), received(100, '429', 2_000, 9)];

  expect(found(patient(), [...told, sent(200, 2), sent(200, 9)])).toEqual([]);
  expect(found(patient(), [...told, launch(150), sent(200)])).toEqual([]);
});

test('waits for the longer of two pauses', () => {
  expect(found(patient(), [received(0, '429', 5_000), received(100, '503', 10), sent(1_000)])).toHaveLength(1);
});
