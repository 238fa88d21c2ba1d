import { expect, test } from 'vitest';
import { firstDifference } from './difference.ts';
import { runPlan } from './run.ts';
import { createOutboxFactory, outboxScenario } from './testing/outbox.ts';
import { createPlan, step } from './testing/probe.ts';
import type { FrameRecord, SocketRecord, TraceEvent } from './trace.ts';

const effect = (atMs: number, data: number): TraceEvent => ({ atMs, phone: 0, kind: 'effect', label: 'counted', data });
const settled = (atMs: number, error: string | null): TraceEvent => ({
  atMs,
  phone: 0,
  kind: 'settled',
  id: 1,
  label: 'save 1',
  error,
});
const log = (atMs: number, text: string): TraceEvent => ({ atMs, phone: 0, kind: 'log', level: 'log', text });

test('finds none between two runs that user and server saw alike, at whatever times', () => {
  const attempt = [settled(5, null), log(6, 'mine'), effect(9, 1)];
  const reference = [settled(7, null), effect(70, 1), log(80, 'theirs')];

  expect(firstDifference(attempt, reference)).toBeNull();
});

test('finds the first place where two runs part', () => {
  const attempt = [settled(5, null), effect(10.4, 1), effect(20, 2)];
  const reference = [settled(5, null), effect(11, 2), effect(20, 2)];

  expect(firstDifference(attempt, reference)).toEqual({
    attempt: 'the server: counted 1',
    reference: 'the server: counted 2',
    atMs: 10,
  });
});

test('says that one did nothing more when the other went on', () => {
  const shorter = [settled(5, null)];
  const longer = [settled(5, null), effect(10, 1)];

  expect(firstDifference(shorter, longer)).toMatchObject({
    attempt: 'nothing more',
    reference: 'the server: counted 1',
  });
  expect(firstDifference(longer, shorter)).toMatchObject({
    attempt: 'the server: counted 1',
    reference: 'nothing more',
  });
});

test('finds none between two runs that differ in their requests alone, when those do not count', async () => {
  const plan = createPlan({ slots: 10, steps: [step('save')], faults: [{ target: 'POST /numbers', kind: 'portal' }] });
  const { trace } = await runPlan(outboxScenario, createOutboxFactory(), plan);
  const thrifty = trace.filter((event) => event.kind !== 'request' || event.request.nth > 1);

  expect(firstDifference(trace, thrifty)).toMatchObject({ attempt: 'sends POST /numbers' });
  expect(firstDifference(trace, thrifty, { requests: false })).toBeNull();
});

test('takes a failed call for another than one that succeeds, whatever its error', () => {
  expect(firstDifference([settled(5, 'Error: a')], [settled(5, 'Error: b')])).toBeNull();
  expect(firstDifference([settled(5, 'Error: a')], [settled(5, null)])).toMatchObject({
    attempt: 'save 1 fails',
    reference: 'save 1 succeeds',
  });
});

test('finds where a flawed outbox leaves the sound one', async () => {
  const plan = createPlan({
    slots: 10,
    steps: [step('save')],
    faults: [{ target: 'POST /numbers', kind: 'response-lost' }],
  });

  const flawed = await runPlan(outboxScenario, createOutboxFactory({ newKeyPerTry: true }), plan);
  const sound = await runPlan(outboxScenario, createOutboxFactory(), plan);

  expect(firstDifference(flawed.trace, sound.trace)).toMatchObject({
    attempt: 'the server: counted 1',
    reference: 'the app is killed',
  });
});

test('compares sockets and what is sent over them where requests count, and not where they do not', () => {
  const carrier = {} as SocketRecord;
  const frame = (text: string): TraceEvent => {
    const record: FrameRecord = {
      id: 1,
      phone: 0,
      target: 'socket.send',
      nth: 1,
      carrier,
      text,
      sentAtMs: 1,
      arrivedAtMs: null,
    };
    return { atMs: 1, phone: 0, kind: 'frame', phase: 'sent', frame: record, note: '' };
  };
  const opening: TraceEvent = { atMs: 0, phone: 0, kind: 'socket', phase: 'connecting', socket: carrier, note: '' };
  const ping = frame('{"event":"pusher:ping","data":{}}');
  const subscribe = frame('{"event":"pusher:subscribe","data":{"channel":"a"}}');

  expect(firstDifference([opening, ping], [opening, subscribe])).toMatchObject({
    attempt: 'sends pusher:ping',
    reference: 'sends pusher:subscribe',
  });
  expect(firstDifference([opening, opening], [opening])).toMatchObject({ attempt: 'opens a socket' });
  expect(firstDifference([opening, ping], [], { requests: false })).toBeNull();
});
