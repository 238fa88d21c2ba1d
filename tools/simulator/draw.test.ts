import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDraw } from './draw.ts';

test('gives the same number for the same world and purpose, whatever was drawn before', () => {
  const purpose = fc.array(fc.oneof(fc.string(), fc.integer()), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.integer(), purpose, fc.array(purpose, { maxLength: 5 }), (seed, wanted, others) => {
      const busy = createDraw(seed);
      for (const other of others) busy.unit(...other);

      expect(busy.unit(...wanted)).toBe(createDraw(seed).unit(...wanted));
    }),
    { seed: 1 },
  );
});

test('gives another number for a near purpose or a near world', () => {
  const near = [
    createDraw(1).unit('up', 0, 1),
    createDraw(2).unit('up', 0, 1),
    createDraw(1).unit('up', 1, 0),
    createDraw(1).unit('up', 0, 2),
    createDraw(1).unit('down', 0, 1),
    createDraw(1).unit('up', 0),
    createDraw(1).unit('up', '0', 1),
  ];

  expect(new Set(near).size).toBe(near.length);
});

test('parts a purpose at its parts', () => {
  const draw = createDraw(1);

  expect(draw.unit('ab', 'c')).not.toBe(draw.unit('a', 'bc'));
});

test('spreads evenly over counters and over worlds', () => {
  const byCounter = Array.from({ length: 10_000 }, (_, n) => createDraw(7).pick(10, 'wire', 0, 'POST /things', n));
  const byWorld = Array.from({ length: 10_000 }, (_, n) => createDraw(n).pick(10, 'wire', 0, 'POST /things', 1));

  for (const draws of [byCounter, byWorld]) {
    const shares = Array.from({ length: 10 }, (_, n) => draws.filter((one) => one === n).length / draws.length);
    expect(Math.min(...shares)).toBeGreaterThan(0.085);
    expect(Math.max(...shares)).toBeLessThan(0.115);
  }
});

test('does not tie the draws of two purposes together', () => {
  const pairs = Array.from({ length: 4_000 }, (_, world) => createDraw(world)).map(
    (draw) => `${draw.pick(2, 'up')} ${draw.pick(2, 'down')}`,
  );

  const shares = ['0 0', '0 1', '1 0', '1 1'].map((pair) => pairs.filter((one) => one === pair).length / pairs.length);

  expect(Math.min(...shares)).toBeGreaterThan(0.22);
});

test('stays within the bounds asked for', () => {
  fc.assert(
    fc.property(fc.integer(), fc.string(), fc.integer({ min: 1, max: 50 }), (seed, purpose, choices) => {
      const draw = createDraw(seed);

      expect(draw.unit(purpose)).toBeGreaterThanOrEqual(0);
      expect(draw.unit(purpose)).toBeLessThan(1);
      expect(draw.pick(choices, purpose)).toBeLessThan(choices);
      expect(Number.isInteger(draw.pick(choices, purpose))).toBe(true);
      expect(draw.between(-5, 5, purpose)).toBeGreaterThanOrEqual(-5);
      expect(draw.between(-5, 5, purpose)).toBeLessThan(5);
    }),
    { seed: 1 },
  );
});
