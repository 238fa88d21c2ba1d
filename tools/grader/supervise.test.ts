import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Watchdog } from './supervise.ts';

const PATIENCE_MS = 10_000;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A watchdog of a process that is given this share of the time for what it does, and uses it up. */
function watch({ share }: { share: number | null }) {
  const bark = vi.fn();
  const from = performance.now();
  const used = async () => (share === null ? null : (performance.now() - from) * share);
  return { bark, watchdog: new Watchdog(PATIENCE_MS, bark, used) };
}

test('barks once when nothing was heard for a while of what is busy', async () => {
  const { bark, watchdog } = watch({ share: 1 });

  watchdog.pat();
  await vi.advanceTimersByTimeAsync(9_400);
  watchdog.pat();
  await vi.advanceTimersByTimeAsync(9_400);
  expect(bark).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(60_000);

  expect(bark.mock.calls).toEqual([['busy']]);
});

test('waits for what the machine gives little time, until it has had its share', async () => {
  const { bark, watchdog } = watch({ share: 0.25 });

  watchdog.pat();
  await vi.advanceTimersByTimeAsync(19_400);
  expect(bark).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(2_000);

  expect(bark.mock.calls).toEqual([['busy']]);
});

test.each([
  ['does nothing', 0],
  ['cannot be asked', null],
])('waits three times as long for what %s', async (_what, share) => {
  const { bark, watchdog } = watch({ share });

  watchdog.pat();
  await vi.advanceTimersByTimeAsync(29_400);
  expect(bark).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1_000);

  expect(bark.mock.calls).toEqual([['idle']]);
});

test('counts the time of a process anew that has taken the place of another', async () => {
  const bark = vi.fn();
  const from = performance.now();
  const ms = () => performance.now() - from;
  const watchdog = new Watchdog(PATIENCE_MS, bark, async () => (ms() < 2_000 ? 60_000 + ms() : ms() - 2_000));

  watchdog.pat();
  await vi.advanceTimersByTimeAsync(9_900);
  expect(bark).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(200);

  expect(bark.mock.calls).toEqual([['busy']]);
});

test('does not take time in which it stood still itself for silence', async () => {
  const { bark, watchdog } = watch({ share: 1 });

  watchdog.pat();
  vi.setSystemTime(Date.now() + 3_600_000);
  await vi.advanceTimersByTimeAsync(1_000);

  expect(bark).not.toHaveBeenCalled();
});

test('does not bark at rest', async () => {
  const { bark, watchdog } = watch({ share: 1 });

  watchdog.pat();
  watchdog.rest();
  await vi.advanceTimersByTimeAsync(60_000);

  expect(bark).not.toHaveBeenCalled();
});

test('does not bark when it is put to rest while it asks', async () => {
  const bark = vi.fn();
  let answer = (_used: number) => {};
  const watchdog = new Watchdog(
    PATIENCE_MS,
    bark,
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  );

  watchdog.pat();
  await vi.advanceTimersByTimeAsync(500);
  answer(0);
  await vi.advanceTimersByTimeAsync(9_500);
  watchdog.rest();
  answer(9_500);
  await vi.advanceTimersByTimeAsync(60_000);

  expect(bark).not.toHaveBeenCalled();
});
