import { expect, test } from 'vitest';
import { atKind, type Look } from './at-kind.ts';
import { Recorder } from './recorder.ts';
import type { TraceEvent } from './trace.ts';

const events: readonly TraceEvent[] = [
  { atMs: 1, phone: 0, kind: 'launch', launch: 1 },
  { atMs: 2, phone: 0, kind: 'effect', label: 'stored', data: null },
  { atMs: 3, phone: 0, kind: 'launch', launch: 2 },
  { atMs: 4, phone: 0, kind: 'effect', label: 'sent', data: null },
];

test('shows an invariant the events of its kind and no others', () => {
  const labels: string[] = [];
  let all = 0;
  const looks: Look[] = [
    atKind('effect', ({ label }) => {
      labels.push(label);
      return undefined;
    }),
    () => {
      all += 1;
      return undefined;
    },
  ];
  const recorder = new Recorder();
  recorder.watch(looks.map((look, n) => ({ invariant: `i${n}`, look })));

  for (const event of events) recorder.emit(event);

  expect([labels, all]).toEqual([['stored', 'sent'], 4]);
});

test('shows an invariant the events of any of its kinds', () => {
  const seen: string[] = [];
  const recorder = new Recorder();
  const look = atKind(['launch', 'settled'], ({ kind }) => {
    seen.push(kind);
    return undefined;
  });
  recorder.watch([{ invariant: 'both', look }]);

  for (const event of events) recorder.emit(event);

  expect(seen).toEqual(['launch', 'launch']);
});

test('is asked about no other kind by hand either', () => {
  const look = atKind('launch', ({ launch }) => `launch ${launch}`);

  expect(events.map((event) => look(event))).toEqual(['launch 1', undefined, 'launch 2', undefined]);
});

test('keeps the order of the invariants among what breaks at one event', () => {
  const recorder = new Recorder();
  recorder.watch([
    { invariant: 'any', look: () => 'broken' },
    { invariant: 'launches', look: atKind('launch', () => 'broken') },
    { invariant: 'last', look: () => 'broken' },
  ]);

  for (const event of events) recorder.emit(event);

  expect(recorder.violations.map(({ invariant, atMs }) => [invariant, atMs])).toEqual([
    ['any', 1],
    ['launches', 1],
    ['last', 1],
  ]);
});
