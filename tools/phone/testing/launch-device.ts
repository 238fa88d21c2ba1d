// One launch after another on one disk, for tests of the modules themselves.
import { createDevice, defaultConditions } from '../device.ts';
import { Disk } from '../disk.ts';
import { type Seen, type StorageFault, TestHost } from './test-host.ts';

export function createTestBench() {
  const conditions = defaultConditions();
  const disk = new Disk();
  const faults: (StorageFault | null)[] = [];
  const seen: Seen = { cipherCalls: [], prompts: 0, draws: 0 };
  let host: TestHost;

  function kill(): void {
    host.kill();
    disk.appKilled();
  }

  function launch() {
    host = new TestHost({ disk, faults, seen, gate: { held: false, waiting: [] }, die: kill });
    return createDevice(host, disk, conditions).device;
  }

  const device = launch();
  return {
    conditions,
    device,
    disk,
    /** What the next storage writes meet, in order; null lets one pass. */
    faults,
    seen,
    kill,
    /** Kills the app and launches it again. */
    relaunch() {
      kill();
      return launch();
    },
  };
}

/** How a promise ends: `ok` with its value, or the error's message. */
export const ending = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    (value) => `ok ${String(value)}`,
    (error: Error) => error.message,
  );

/** Lets happen whatever needs no time. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
