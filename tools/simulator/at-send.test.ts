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

/** A world in which these are out, whatever phone they are of. */
const worldWith = (...out: RequestRecord[]) => ({
  requestsOut: (phone: number) => out.filter((one) => one.phone === phone),
});

/** Says of each request that leaves which others are out. */
const tellOthers = atSend(
  () =>
    ({ id }, others) =>
      `${id} beside ${
        others()
          .map((other) => other.id)
          .join(' ') || 'none'
      }`,
);

test('gives each request as it leaves, and the others of its phone that are out by then, oldest first', () => {
  const [first, second, elsewhere, third] = [request(1), request(2), request(3, 1), request(4)];
  const look = tellOthers(worldWith(first, second, elsewhere, third));

  const told = [look(event('sent', third)), look(event('sent', elsewhere))];

  expect(told).toEqual(['4 beside 1 2', '3 beside none']);
});

test('looks at nothing but requests as they leave', () => {
  const look = tellOthers(worldWith(request(1)));

  const told = [
    look(event('arrived', request(1))),
    look(event('received', request(1))),
    look({ kind: 'launch', launch: 1, atMs: 0, phone: 0 }),
  ];

  expect(told).toEqual([undefined, undefined, undefined]);
});
