import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { catchRejections, type RunResult, runPlan } from './run.ts';
import { createOutboxFactory, outboxScenario } from './testing/outbox.ts';
import { createPlan, ending, type ProbeApp, type ProbeLaunch, post, runProbe, step } from './testing/probe.ts';
import type { AnyScenario } from './world.ts';

let release: () => void;
beforeAll(() => {
  release = catchRejections();
});
afterAll(() => release());

const broken = ({ violations }: RunResult) => violations.map(({ invariant, text }) => `${invariant}: ${text}`);
const idle = (): ProbeApp | undefined => undefined;

const withInvariant = (invariant: Partial<AnyScenario['invariants'][number]>): Partial<AnyScenario> => ({
  invariants: [{ id: 'rule', promise: 'a rule', spec: ['R1'], ...invariant }],
});

const savesAt = (...slots: number[]) => Array.from({ length: 10 }, (_, n) => (slots.includes(n) ? step('save') : null));

test('keeps every invariant with the sound outbox, under no fault', async () => {
  const plan = { ...createPlan({ slots: 10, steps: savesAt(1, 4, 7) }), kata: 'outbox' };

  const result = await runPlan(outboxScenario, createOutboxFactory(), plan);

  expect(result.violations).toEqual([]);
  expect(result.loadError).toBeNull();
  expect(result.budgets).toEqual({ requests: 3 });
});

test('checks a watching invariant at the event that breaks it, and tells only the first break', async () => {
  const open = ({ platform, launch }: ProbeLaunch) => {
    for (const atMs of launch > 1 ? [] : [1_000, 5_000])
      platform.setTimeout(() => platform.console.log(`at ${atMs}`), atMs);
    return undefined;
  };

  const result = await runProbe(open, {
    scenario: withInvariant({ watch: () => (event) => (event.kind === 'log' ? `logged ${event.text}` : undefined) }),
  });

  const [violation] = result.violations;
  expect(broken(result)).toEqual(['rule: logged at 1000']);
  expect(violation?.atMs).toBe(1_000);
  expect(result.trace[violation?.index ?? -1]).toMatchObject({ kind: 'log', text: 'at 1000' });
});

test('gives each run a watch of its own', async () => {
  const watch = () => {
    let launches = 0;
    return ({ kind }: { kind: string }) => {
      if (kind === 'launch') launches += 1;
      return launches > 2 ? `${launches} launches` : undefined;
    };
  };
  const scenario = withInvariant({ watch });

  const first = await runProbe(idle, { scenario });
  const second = await runProbe(idle, { scenario });

  expect([broken(first), broken(second)]).toEqual([[], []]);
});

test('asks a settled invariant once all is quiet, and before the last relaunch', async () => {
  const asked: string[] = [];
  const open = ({ platform, launch }: ProbeLaunch) => {
    if (launch === 1) platform.setTimeout(() => asked.push('last timer'), 150_000);
    asked.push(`launch ${launch}`);
    return undefined;
  };
  const settled = () => {
    asked.push('settled');
    return 'not as it should be';
  };

  const result = await runProbe(open, { scenario: withInvariant({ settled }) });

  expect(asked).toEqual(['launch 1', 'last timer', 'settled', 'launch 2']);
  expect(broken(result)).toEqual(['rule: not as it should be']);
});

test('asks a relaunched invariant after one more launch, with what was shown before', async () => {
  const open = ({ device, launch }: ProbeLaunch) => ({
    view: () => `launch ${launch} ${device.appState.currentState}`,
  });
  const shown: unknown[] = [];
  const relaunched: AnyScenario['invariants'][number]['relaunched'] = ({ phones }, before) => {
    shown.push(...before, (phones[0]?.app as ProbeApp | null)?.view?.());
    return undefined;
  };

  const result = await runProbe(open, { scenario: withInvariant({ relaunched }) });

  expect(shown).toEqual(['launch 1 active', 'launch 2 active']);
  expect(broken(result)).toEqual([]);
});

test('waits while there is progress, and gives up on polling that changes nothing', async () => {
  const openPolling = ({ platform }: ProbeLaunch) => {
    platform.setInterval(() => platform.console.log('poll'), 60_000);
    return undefined;
  };
  const openBusy = ({ platform, follow }: ProbeLaunch) => {
    let left = 10;
    const interval = platform.setInterval(() => {
      left -= 1;
      follow('work', () => Promise.resolve());
      if (left === 0) platform.clearInterval(interval);
    }, 100_000);
    return undefined;
  };

  const polling = await runProbe(openPolling);
  const busy = await runProbe(openBusy);

  const healedAtMs = ({ trace }: RunResult) =>
    trace.find((event) => event.kind === 'condition' && event.condition === 'healed')?.atMs ?? 0;
  const killedAtMs = ({ trace }: RunResult) => trace.find(({ kind }) => kind === 'kill')?.atMs ?? 0;
  expect(killedAtMs(polling) - healedAtMs(polling)).toBeLessThanOrEqual(120_000);
  expect(killedAtMs(busy)).toBe(1_000_000);
});

test('breaks `settles` when a promise never has an end, and names it', async () => {
  const open = ({ follow, launch }: ProbeLaunch) => {
    if (launch === 1) follow('save 7', () => new Promise(() => undefined));
    return undefined;
  };

  const result = await runProbe(open);

  expect(broken(result)).toEqual(['settles: These promises never settled: save 7.']);
});

test('keeps `settles` when a promise is rejected, or forgotten by a kill', async () => {
  const ends: string[] = [];
  const open = ({ follow, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    follow('rejects', () => Promise.reject(new Error('no')), { failed: (error) => ends.push(String(error)) });
    follow(
      'throws',
      () => {
        throw new Error('at once');
      },
      { failed: (error) => ends.push(String(error)) },
    );
    follow('gives', () => Promise.resolve(7), { done: (value) => ends.push(String(value)) });
    follow('is killed', () => new Promise(() => undefined));
    return undefined;
  };

  const result = await runProbe(open, { steps: [step('kill', { ms: 1_000 })] });

  expect(broken(result)).toEqual([]);
  expect([...ends].sort()).toEqual(['7', 'Error: at once', 'Error: no']);
  expect(
    result.trace.flatMap((event) => (event.kind === 'settled' ? [`${event.label}: ${event.error}`] : [])).sort(),
  ).toEqual(['gives: null', 'rejects: Error: no', 'throws: Error: at once']);
});

test.each<[string, (launch: ProbeLaunch) => void]>([
  ['a rejection', () => void Promise.reject(new Error('oh'))],
  ['an error in a timer', ({ platform }) => void platform.setTimeout(fail, 5)],
  ['a rejection in an answer', ({ platform }) => void post(platform, 1).then(fail)],
  ['a rejection after storage', ({ device }) => void device.asyncStorage.getItem('a').then(fail)],
  ['an error in the first call of a listener', ({ device }) => void device.netInfo.addEventListener(fail)],
])('breaks `no-unhandled-rejection` on %s that nobody handles', async (_what, act) => {
  const open = (launch: ProbeLaunch) => {
    if (launch.launch === 1) act(launch);
    return undefined;
  };

  const result = await runProbe(open);

  expect(broken(result)).toEqual(['no-unhandled-rejection: Nobody handled this rejection: Error: oh']);
});

test('breaks `no-unhandled-rejection` on an error at a tap', async () => {
  const result = await runProbe(() => ({ tap: fail }), { steps: [step('tap')] });

  expect(broken(result)).toEqual(['no-unhandled-rejection: Nobody handled this rejection: Error: oh']);
});

// The listener runs in the world's own code, and its error ends the run.
test.each([
  ['netInfo', 'offline'],
  ['appState', 'background'],
])('breaks `no-unhandled-rejection` on an error in a listener of %s, at a change', async (module, condition) => {
  const open = ({ device, launch }: ProbeLaunch) => {
    const listeners = {
      netInfo: () => device.netInfo.addEventListener(({ isConnected }) => isConnected || fail()),
      appState: () => device.appState.addEventListener('change', fail),
    };
    if (launch === 1) listeners[module as keyof typeof listeners]();
    return undefined;
  };

  const result = await runProbe(open, { steps: [step(condition, { ms: 1_000 })] });

  expect(broken(result)).toEqual(['no-unhandled-rejection: Nobody handled this rejection: Error: oh']);
});

// Such an error is an uncaught exception of the process, which ends with it.
test.each(['microtask', 'signal-listener'])('breaks `no-unhandled-rejection` on an error in a %s', async (where) => {
  const script = join(import.meta.dirname, 'testing/print-violations.ts');

  const { stdout } = await promisify(execFile)(process.execPath, [script, where]);

  expect(stdout).toBe('no-unhandled-rejection: Nobody handled this rejection: Error: oh\n');
});

test('keeps `no-unhandled-rejection` when every rejection is handled', async () => {
  const open = ({ platform, launch }: ProbeLaunch) => {
    if (launch === 1) void ending(post(platform, 1));
    return undefined;
  };

  const result = await runProbe(open, { faults: [{ kind: 'request-lost' }] });

  expect(broken(result)).toEqual([]);
});

// The phone whose code ran last is dead, so the rejection of the other is taken for its.
test('breaks `no-unhandled-rejection` on one phone while the app of another is dead', async () => {
  const open = ({ device, phone, launch }: ProbeLaunch) => {
    if (launch > 2) return undefined;
    if (phone === 0) void device.asyncStorage.getItem('a').then(fail);
    else device.mmkv.set('a', 1);
    return undefined;
  };

  const result = await runProbe(open, {
    scenario: { phones: 2 },
    faults: [{ phone: 1, target: 'storage.write', kind: 'kill-after' }],
  });

  expect(broken(result)).toEqual(['no-unhandled-rejection: Nobody handled this rejection: Error: oh']);
});

test.each<[string, (launch: ProbeLaunch) => void]>([
  ['requests', ({ platform }) => void again(() => ending(post(platform, 1)))],
  ['timers', ({ platform }) => void platform.setInterval(() => undefined, 1)],
  ['writes', ({ device }) => void again(() => device.asyncStorage.setItem('a', '1'))],
])('breaks `bounded` on an endless stream of %s, and ends the run', async (_what, act) => {
  const open = (launch: ProbeLaunch) => {
    act(launch);
    return undefined;
  };

  const result = await runProbe(open);

  expect(result.hasRunAway).toBe(true);
  expect(broken(result)[0]).toMatch(
    /^bounded: The app ran away: \d+ events and \d+ requests in \d+ virtual seconds\.$/,
  );
});

test('keeps `bounded` with a busy but decent app', async () => {
  const open = ({ platform, launch }: ProbeLaunch) => {
    if (launch === 1)
      for (let n = 0; n < 200; n += 1) platform.setTimeout(() => void ending(post(platform, n)), n * 100);
    return undefined;
  };

  const result = await runProbe(open);

  expect([result.hasRunAway, result.arrivals.length, broken(result)]).toEqual([false, 200, []]);
});

test.each<[string, (launch: ProbeLaunch) => ProbeApp, string]>([
  [
    'a listener',
    ({ device }) => {
      device.netInfo.addEventListener(() => undefined);
      return {};
    },
    "After dispose 1 listener on the phone's modules is left.",
  ],
  [
    'an interval',
    ({ platform }) => {
      platform.setInterval(() => undefined, 60_000);
      return {};
    },
    'After dispose 1 timer is left running.',
  ],
  [
    'a request',
    ({ platform, device }) => ({
      dispose: () => void device.asyncStorage.getItem('a').then(() => ending(post(platform, 1))),
    }),
    'After dispose 1 request was still sent.',
  ],
])('breaks `silent-after-dispose` when %s is left', async (_what, open, text) => {
  const result = await runProbe(open);

  expect(broken(result)).toEqual([`silent-after-dispose: ${text}`]);
});

test('keeps `silent-after-dispose` when the app cleans up after itself', async () => {
  const open = ({ platform, device }: ProbeLaunch) => {
    const stop = device.netInfo.addEventListener(() => undefined);
    const subscription = device.appState.addEventListener('change', () => void ending(post(platform, 1)));
    const interval = platform.setInterval(() => undefined, 60_000);
    return {
      dispose: () => {
        stop();
        subscription.remove();
        platform.clearInterval(interval);
      },
    };
  };

  const result = await runProbe(open);

  expect(broken(result)).toEqual([]);
});

// Nothing an app can do takes such a timer away.
test('keeps `silent-after-dispose` when the clock of an AbortSignal.timeout still runs', async () => {
  const open = ({ platform }: ProbeLaunch) => {
    void ending(post(platform, 1, { signal: platform.AbortSignal.timeout(600_000) }));
    return {};
  };

  const result = await runProbe(open);

  expect(broken(result)).toEqual([]);
});

test('reports an app that cannot be made, and nothing else', async () => {
  const result = await runPlan(outboxScenario, createOutboxFactory({ throwsInFactory: true }), createPlan());

  expect(result.loadError).toEqual({ stage: 'open', text: 'Error: no outbox today' });
  expect(result.violations).toEqual([]);
});

test('reports a module that throws as it is loaded', async () => {
  const factory = () => {
    throw new RangeError('at the top');
  };

  const result = await runPlan(outboxScenario, factory, createPlan());

  expect(result.loadError).toEqual({ stage: 'import', text: 'RangeError: at the top' });
});

// An app that starts on an empty disk and crashes on what a kill left there can be made: it is broken.
test('takes a crash at a later launch for a broken promise, not for an app that cannot be loaded', async () => {
  const open = ({ device }: ProbeLaunch) => {
    if (device.mmkv.contains('half')) throw new Error('the file is half written');
    device.mmkv.set('half', true);
    device.mmkv.set('whole', true);
    return undefined;
  };

  const result = await runProbe(open, { faults: [{ target: 'storage.write', nth: 2, kind: 'kill-before' }] });

  expect(result.loadError).toBeNull();
  expect(result.violations).not.toEqual([]);
});

test('measures what a run cost', async () => {
  const open = ({ platform, device, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    void post(platform, 'abc');
    void device.asyncStorage.setItem('key', 'value');
    device.mmkv.set('key', 12);
    void device.asyncStorage.getItem('key');
    platform.setTimeout(() => undefined, 500);
    platform.setTimeout(() => undefined, 3_000);
    return undefined;
  };

  const { costs } = await runProbe(open, { steps: [step('offline', { ms: 10_000 })] });

  expect(costs).toMatchObject({
    requests: 1,
    bytesSent: 'https://api.example.test/things"abc"'.length,
    bytesReceived: '{"ok":true,"count":1}'.length,
    storageWrites: 2,
    storageReads: 1,
    storageBytes: 7,
    timerWakeups: 2,
    offlineWakeups: 1,
    offlineMs: 10_000,
    stateChanges: 0,
  });
});

function fail(): never {
  throw new Error('oh');
}

async function again(act: () => Promise<unknown>): Promise<never> {
  for (;;) await act();
}
