import { expect, test } from 'vitest';
import { lazyAttempts } from './lazy-attempts.ts';

const TICKER = lazyAttempts({
  slug: 'ticker',
  create: 'createTicker',
  state: { type: 'TickerState<never>', whenDone: '{ ticks: 3 }', whenWaiting: '{ ticks: 0 }' },
  promises: { start: '', last: '{ at: 5 }' },
  others: { pause: '() => {}' },
});

test('writes an attempt that does nothing, with the answers given', () => {
  expect(TICKER[0]).toEqual({
    id: 'does-nothing',
    title: 'Says yes to everything and does nothing.',
    source: `import type { CreateTicker, TickerState } from '#contract/ticker';

const state: TickerState<never> = { ticks: 3 };

export const createTicker: CreateTicker = () => ({
  start: async () => {},
  last: async () => ({ at: 5 }),
  pause: () => {},
  getState: () => state,
  subscribe: () => () => {},
  dispose: () => {},
});
`,
  });
});

test('writes one that throws at every call, and one whose promises never end', () => {
  const [, throwing, waiting] = TICKER.map(({ source }) => source);

  for (const name of ['start', 'last', 'pause', 'getState', 'subscribe', 'dispose'])
    expect(throwing).toContain(`  ${name}: () => fail(),\n`);
  expect(waiting).toContain('const state: TickerState<never> = { ticks: 0 };');
  for (const line of ['start: () => never', 'last: () => never', 'pause: () => {}', 'getState: () => state'])
    expect(waiting).toContain(`  ${line},\n`);
});
