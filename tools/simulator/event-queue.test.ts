import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventQueue, type QueuedEvent } from './event-queue.ts';

const event = (atMs: number, seq: number, isWanted = () => true): QueuedEvent => ({
  atMs,
  seq,
  run: () => undefined,
  isWanted,
});

function drain(queue: EventQueue): QueuedEvent[] {
  const all: QueuedEvent[] = [];
  for (let next = queue.peek(); next; next = queue.peek()) {
    all.push(next);
    queue.pop();
  }
  return all;
}

test('gives events by time, and those of one time by when they were planned', () => {
  const queue = new EventQueue();
  for (const one of [event(5, 1), event(3, 2), event(5, 3), event(3, 4), event(0, 5)]) queue.push(one);

  const order = drain(queue).map(({ atMs, seq }) => [atMs, seq]);

  expect(order).toEqual([
    [0, 5],
    [3, 2],
    [3, 4],
    [5, 1],
    [5, 3],
  ]);
});

test('gives any events in sorted order, however they were pushed and popped', () => {
  const operation = fc.oneof(fc.nat({ max: 20 }), fc.constant('pop' as const));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200, size: 'max' }), (operations) => {
      const queue = new EventQueue();
      let model: QueuedEvent[] = [];
      for (const [seq, what] of operations.entries()) {
        if (what !== 'pop') {
          queue.push(event(what, seq));
          model = [...model, event(what, seq)].sort((a, b) => a.atMs - b.atMs || a.seq - b.seq);
        } else {
          expect(queue.pop()?.seq).toBe(model.shift()?.seq);
        }
        expect(queue.size).toBe(model.length);
      }
      expect(drain(queue).map(({ seq }) => seq)).toEqual(model.map(({ seq }) => seq));
    }),
    { numRuns: 50, seed: 1 },
  );
});

test('drops an event that was called off, wherever it stands', () => {
  const queue = new EventQueue();
  const cancelled = new Set([1, 3, 4]);
  for (const seq of [1, 2, 3, 4, 5]) queue.push(event(seq, seq, () => !cancelled.has(seq)));

  const left = drain(queue).map(({ seq }) => seq);

  expect(left).toEqual([2, 5]);
});

test('keeps an event that is only looked at', () => {
  const queue = new EventQueue();
  queue.push(event(1, 1));

  const seen = [queue.peek()?.seq, queue.peek()?.seq, queue.size];

  expect(seen).toEqual([1, 1, 1]);
});

test('is empty after the last event', () => {
  const queue = new EventQueue();
  queue.push(event(1, 1));
  queue.pop();

  expect([queue.peek(), queue.pop(), queue.size]).toEqual([undefined, undefined, 0]);
});
