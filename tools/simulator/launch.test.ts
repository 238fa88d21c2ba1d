import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { catchRejections } from './run.ts';
import { ending, type ProbeLaunch, post, runProbe, step } from './testing/probe.ts';
import { inTurn, worlds } from './testing/worlds.ts';

let release: () => void;
beforeAll(() => {
  release = catchRejections();
});
afterAll(() => release());

/** A full collection, with nobody at work. */
async function collectGarbage(): Promise<void> {
  await new Promise(setImmediate);
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

const KILL_AFTER_TWO_SECONDS = [null, step('kill', { ms: 5_000 })];

test('settles nothing that a killed app awaited: no then, no catch, no finally', async () => {
  const seen: string[] = [];
  const open = ({ platform, device, launch, follow }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    const watch = (name: string, promise: Promise<unknown>) =>
      void promise
        .then(
          () => seen.push(`${name} then`),
          () => seen.push(`${name} catch`),
        )
        .finally(() => seen.push(`${name} finally`));
    watch('request', post(platform, 1));
    watch('storage', device.asyncStorage.setItem('a', '1'));
    follow('waits', () => post(platform, 2));
    return undefined;
  };

  const result = await runProbe(open, {
    steps: KILL_AFTER_TWO_SECONDS,
    faults: [{ kind: 'hang' }, { nth: 2, kind: 'hang' }, { target: 'storage.write', kind: 'slow' }],
  });

  expect(seen).toEqual([]);
  expect(result.violations).toEqual([]);
});

test('holds nothing of a run that is over, whatever a dead app still waits for', async () => {
  const held: WeakRef<object>[] = [];
  const open = ({ platform, device, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    const app = { launch };
    held.push(new WeakRef(app));
    // The kill comes before this write: a dead app waits for what follows.
    device.mmkv.set('any', 1);
    void device.asyncStorage.getItem('any').then(() => app);
    void post(platform, 1).then(() => app);
    return undefined;
  };

  await runProbe(open, { faults: [{ target: 'storage.write', kind: 'kill-before' }] });
  await collectGarbage();

  expect(held.map((one) => one.deref())).toEqual([undefined]);
});

test('gives a dead app nothing: what it calls after its kill has no effect and never settles', async () => {
  const seen: string[] = [];
  const stored: unknown[] = [];
  const open = ({ platform, device, launch }: ProbeLaunch) => {
    if (launch > 1) {
      stored.push([device.mmkv.getAllKeys()]);
      return undefined;
    }
    device.mmkv.set('first', 1);
    // The kill comes before this write, so all that follows is run by a dead app.
    device.mmkv.set('second', 2);
    void device.asyncStorage.setItem('third', '3').then(() => seen.push('storage'));
    void post(platform, 1).then(() => seen.push('request'));
    platform.setTimeout(() => seen.push('timer'), 10);
    platform.console.log('still here');
    return undefined;
  };

  const result = await runProbe(open, { faults: [{ target: 'storage.write', nth: 2, kind: 'kill-before' }] });

  expect(seen).toEqual([]);
  expect(stored[0]).toEqual([['first']]);
  expect([result.arrivals, result.costs.storageWrites, result.costs.requests]).toEqual([[], 1, 0]);
  expect(result.trace.filter(({ kind }) => kind === 'log')).toEqual([]);
});

test('takes timers, intervals and listeners away with the app', async () => {
  const seen: string[] = [];
  const open = ({ platform, device, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    platform.setTimeout(() => seen.push('timer'), 10_000);
    platform.setInterval(() => seen.push('interval'), 10_000);
    device.netInfo.addEventListener(({ type }) => seen.push(`network ${type}`));
    device.appState.addEventListener('change', (state) => seen.push(state));
    return undefined;
  };

  await runProbe(open, {
    steps: [...KILL_AFTER_TWO_SECONDS, ...nulls(10), step('offline', { ms: 1_000 }), step('background', { ms: 1_000 })],
  });

  expect(seen).toEqual(['network wifi']);
});

test('keeps storage over a kill, and launches with fresh module state', async () => {
  const launches: string[] = [];
  const open = ({ device, launch }: ProbeLaunch) => {
    device.mmkv.set('launches', (device.mmkv.getNumber('launches') ?? 0) + 1);
    launches.push(`launch ${launch}: stored ${device.mmkv.getNumber('launches')}`);
    return undefined;
  };

  const result = await runProbe(open, { steps: KILL_AFTER_TWO_SECONDS });

  expect(launches).toEqual(['launch 1: stored 1', 'launch 2: stored 2', 'launch 3: stored 3']);
  expect(
    result.trace
      .filter(({ kind }) => kind === 'launch')
      .map(({ atMs }) => atMs)
      .slice(0, 2),
  ).toEqual([0, 7_000]);
});

test('lets what was on the wire at the kill arrive in some worlds and not in others', async () => {
  const open = ({ platform, device, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    void post(platform, 1);
    platform.setTimeout(() => device.mmkv.set('a', 1), 5);
    return undefined;
  };

  const runs = await inTurn(worlds(20), (world) =>
    runProbe(open, { world, faults: [{ target: 'storage.write', kind: 'kill-after' }] }),
  );

  expect(new Set(runs.map(({ arrivals }) => arrivals.length))).toEqual(new Set([0, 1]));
  expect(new Set(runs.map(({ requests }) => requests[0]?.outcome?.kind))).toEqual(new Set(['killed']));
});

test('ignores a rejection that a dead app left behind', async () => {
  const open = ({ device, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    device.mmkv.set('a', 1);
    void Promise.reject(new Error('nobody is left to see this'));
    return undefined;
  };

  const result = await runProbe(open, { faults: [{ target: 'storage.write', kind: 'kill-after' }] });

  expect(result.violations).toEqual([]);
});

test('answers storage calls one after another, a slow one holding up the rest', async () => {
  const order: string[] = [];
  const open = ({ device, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    void device.asyncStorage.setItem('a', '1').then(() => order.push('a'));
    void device.asyncStorage.getItem('a').then((value) => order.push(`read ${value}`));
    void device.asyncStorage.setItem('b', '2').then(() => order.push('b'));
    return undefined;
  };

  await runProbe(open, { faults: [{ target: 'storage.write', kind: 'slow' }] });

  expect(order).toEqual(['a', 'read 1', 'b']);
});

test('launches each phone on its own disk, and strikes only the phone that is named', async () => {
  const seen: string[] = [];
  const open = ({ platform, device, phone, launch }: ProbeLaunch) => {
    device.mmkv.set('owner', phone);
    seen.push(`phone ${phone}`);
    if (launch > 2) return undefined;
    void ending(post(platform, phone)).then((end) => seen.push(`${phone} ${end}`));
    return undefined;
  };

  await runProbe(open, { scenario: { phones: 2 }, faults: [{ phone: 1, kind: 'answer-503' }] });

  expect([...seen].sort()).toEqual(['0 ok 200', '1 ok 503', 'phone 0', 'phone 0', 'phone 1', 'phone 1']);
});

const nulls = (count: number) => Array.from({ length: count }, () => null);
