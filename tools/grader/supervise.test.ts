import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Watchdog } from './supervise.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('barks once when nothing was heard for a while', () => {
  const bark = vi.fn();
  const watchdog = new Watchdog(10_000, bark);

  watchdog.pat();
  vi.advanceTimersByTime(9_400);
  watchdog.pat();
  vi.advanceTimersByTime(9_400);
  expect(bark).not.toHaveBeenCalled();
  vi.advanceTimersByTime(60_000);

  expect(bark).toHaveBeenCalledOnce();
});

test('does not take time in which it stood still itself for silence', () => {
  const bark = vi.fn();
  const watchdog = new Watchdog(10_000, bark);

  watchdog.pat();
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.advanceTimersByTime(1_000);

  expect(bark).not.toHaveBeenCalled();
});

test('does not bark at rest', () => {
  const bark = vi.fn();
  const watchdog = new Watchdog(10_000, bark);

  watchdog.pat();
  watchdog.rest();
  vi.advanceTimersByTime(60_000);

  expect(bark).not.toHaveBeenCalled();
});
