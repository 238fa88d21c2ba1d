import { expect, test } from 'vitest';
import { atSend } from './at-send.ts';
import { createRequestRecord } from './testing/request-record.ts';
import type { RequestRecord, TraceEvent } from './trace.ts';

const request = (id: number, phone = 0): RequestRecord => createRequestRecord({ id, phone });

const event = (phase: 'sent' | 'arrived' | 'received', record: RequestRecord): TraceEvent => ({
  kind: 'request',
  phase,
  request: record,
  note: '',
  atMs: 0,
  phone: record.phone,
});

/** Says of each request that leaves which others are out. */
const tellOthers = atSend(
  () =>
    ({ id }, out) =>
      `${id} beside ${out.map((other) => other.id).join(' ') || 'none'}`,
);

test('gives each request as it leaves, and what is out by then, oldest first', () => {
  const look = tellOthers({});
  const [first, second, third] = [request(1), request(2), request(3)];

  const told = [
    look(event('sent', first)),
    look(event('arrived', first)),
    look(event('sent', second)),
    look(event('sent', third)),
  ];

  expect(told).toEqual(['1 beside none', undefined, '2 beside 1', '3 beside 1 2']);
});

test('forgets a request that was answered, failed, aborted or cut off by a kill', () => {
  const kinds = ['failed', 'aborted', 'killed'] as const;
  const endings: RequestRecord['outcome'][] = [{ kind: 'answered', status: 503 }, ...kinds.map((kind) => ({ kind }))];
  const look = tellOthers({});

  const told = endings.map((outcome, index) => {
    const record = request(index + 1);
    const words = look(event('sent', record));
    record.outcome = outcome;
    return words;
  });

  expect(told).toEqual(['1 beside none', '2 beside none', '3 beside none', '4 beside none']);
});

test('keeps the phones apart', () => {
  const look = tellOthers({});

  look(event('sent', request(1, 0)));

  expect(look(event('sent', request(2, 1)))).toBe('2 beside none');
});

test('begins each run anew, with its world', () => {
  const watch = atSend(
    ({ name }: { name: string }) =>
      (_sent, out) =>
        `${name}: ${out.length} out`,
  );

  watch({ name: 'first' })(event('sent', request(1)));

  expect(watch({ name: 'second' })(event('sent', request(2)))).toBe('second: 0 out');
});
