import { expect, test } from 'vitest';
import { EPOCH_MS } from './clockwork.ts';
import { spanWords } from './conditions.ts';
import { ending, type ProbeLaunch, post, runProbe, step } from './testing/probe.ts';

/** An app that writes down what it learns of the phone, with the second at which it does. */
function witness(launch: ProbeLaunch, seen: string[]): void {
  const { platform, device } = launch;
  const note = (text: string) => seen.push(`${Math.round(platform.performance.now() / 1_000)} s ${text}`);
  device.netInfo.addEventListener(({ isConnected }) => note(isConnected ? 'online' : 'offline'));
  device.appState.addEventListener('change', note);
}

const onlyFirst = (open: (launch: ProbeLaunch) => void) => (launch: ProbeLaunch) => {
  if (launch.launch === 1) open(launch);
  return undefined;
};

test('takes the phone offline for its time, and netInfo says so', async () => {
  const seen: string[] = [];

  const { costs } = await runProbe(
    onlyFirst((launch) => witness(launch, seen)),
    { steps: [step('offline', { ms: 30_000 })] },
  );

  expect(seen).toEqual(['0 s online', '1 s offline', '31 s online']);
  expect(costs.offlineMs).toBe(30_000);
});

test('is offline until the last of two overlapping spans is over', async () => {
  const seen: string[] = [];

  await runProbe(
    onlyFirst((launch) => witness(launch, seen)),
    { steps: [step('offline', { ms: 30_000 }), step('offline', { ms: 5_000 }), step('offline', { ms: 60_000 })] },
  );

  expect(seen).toEqual(['0 s online', '1 s offline', '63 s online']);
});

test('ends offline at healing, however long it was planned for', async () => {
  const seen: string[] = [];
  const open = (launch: ProbeLaunch) => {
    if (launch.launch > 1) return undefined;
    witness(launch, seen);
    return undefined;
  };

  const { trace } = await runProbe(open, { slots: 10, steps: [step('offline', { ms: 900_000 })] });

  const healedAtMs = trace.find((event) => event.kind === 'condition' && event.condition === 'healed')?.atMs ?? 0;
  expect(seen).toEqual(['0 s online', '1 s offline', `${healedAtMs / 1_000} s online`]);
});

test('goes over to mobile data for its time, and netInfo says so', async () => {
  const seen: string[] = [];

  await runProbe(
    onlyFirst(({ platform, device }) => {
      device.netInfo.addEventListener(({ type }) =>
        seen.push(`${Math.round(platform.performance.now() / 1_000)} s ${type}`),
      );
    }),
    { steps: [step('handover', { ms: 20_000 }), null, step('offline', { ms: 5_000 })] },
  );

  expect(seen).toEqual(['0 s wifi', '1 s cellular', '3 s none', '8 s cellular', '21 s wifi']);
});

test('loses what is on the wire when the phone changes its network', async () => {
  const endings: string[] = [];
  const open = ({ platform }: ProbeLaunch) => {
    platform.setTimeout(() => void ending(post(platform, {})).then((text) => endings.push(text)), 990);
  };

  await runProbe(onlyFirst(open), { steps: [step('handover', { ms: 20_000 })] });

  expect(endings).toEqual(['TypeError: Network request failed']);
});

test('comes and goes six times while it flaps', async () => {
  const seen: string[] = [];

  await runProbe(
    onlyFirst((launch) => witness(launch, seen)),
    { steps: [step('flap', { ms: 2_000 })] },
  );

  const changes = [0, 1, 2, 3, 4, 5].flatMap((n) => [`${1 + 4 * n} s offline`, `${3 + 4 * n} s online`]);
  expect(seen).toEqual(['0 s online', ...changes]);
});

test('lets nothing reach the server while offline, and everything afterwards', async () => {
  const ends: string[] = [];
  const open = onlyFirst(({ platform }) => {
    for (const atMs of [500, 5_000, 40_000]) {
      platform.setTimeout(() => void ending(post(platform, atMs)).then((end) => ends.push(`${atMs} ${end}`)), atMs);
    }
  });

  const { arrivals } = await runProbe(open, { steps: [step('offline', { ms: 30_000 })] });

  expect(arrivals.map(({ body }) => body)).toEqual(['500', '40000']);
  expect(ends).toEqual(['500 ok 200', '5000 TypeError: Network request failed', '40000 ok 200']);
});

test('freezes timers in the background and thaws them in the order in which they came due', async () => {
  const fired: string[] = [];
  const open = onlyFirst(({ platform }) => {
    const note = (name: string) => fired.push(`${Math.round(platform.performance.now() / 1_000)} s ${name}`);
    platform.setTimeout(() => note('second'), 20_000);
    platform.setTimeout(() => note('first'), 10_000);
    platform.setTimeout(() => note('after'), 60_000);
    const interval = platform.setInterval(() => note('interval'), 25_000);
    platform.setTimeout(() => platform.clearInterval(interval), 70_000);
  });

  await runProbe(open, { steps: [step('background', { ms: 50_000 })] });

  expect(fired).toEqual(['51 s first', '51 s second', '51 s interval', '60 s after']);
});

test('fires no timer after the thaw that was stopped at the thaw', async () => {
  const fired: string[] = [];
  const open = onlyFirst(({ platform, device }) => {
    const timer = platform.setTimeout(() => fired.push('stopped'), 10_000);
    device.appState.addEventListener('change', (state) => state === 'active' && platform.clearTimeout(timer));
  });

  await runProbe(open, { steps: [step('background', { ms: 50_000 })] });

  expect(fired).toEqual([]);
});

test('tells the app of background and foreground, and ends both at healing', async () => {
  const seen: string[] = [];

  await runProbe(
    onlyFirst((launch) => witness(launch, seen)),
    { steps: [step('background', { ms: 10_000 }), ...nulls(20), step('background', { ms: 900_000 })] },
  );

  expect(seen.slice(0, 4)).toEqual(['0 s online', '1 s background', '11 s active', '22 s background']);
  expect(seen[4]).toMatch(/^1\d\d s active$/);
});

test('wakes a registered background task at its interval or up to twice that, with its timers', async () => {
  const ran: number[] = [];
  const seen: string[] = [];
  const open = onlyFirst(({ platform, device }) => {
    platform.setTimeout(() => seen.push('held'), 60_000);
    device.backgroundTask.defineTask('sync', async () => {
      ran.push(platform.performance.now());
      platform.setTimeout(() => seen.push('within the task'), 5_000);
      await new Promise((resolve) => platform.setTimeout(resolve, 10_000));
      platform.setTimeout(() => seen.push('after the task'), 5_000);
    });
    void device.backgroundTask.registerTaskAsync('sync', { minimumInterval: 15 });
  });

  await runProbe(open, { slots: 2_000, steps: [step('background', { ms: 1_990_000 })] });

  const [first = 0] = ran;
  expect(first).toBeGreaterThanOrEqual(901_000);
  expect(first).toBeLessThanOrEqual(1_801_000);
  expect(seen.slice(0, 3)).toEqual(['held', 'within the task', 'after the task']);
});

test('brings the app to the foreground when a person uses it', async () => {
  const states: string[] = [];
  const open = ({ device, launch }: ProbeLaunch) => ({
    tap: () => launch === 1 && states.push(device.appState.currentState),
  });

  await runProbe(open, { steps: [step('background', { ms: 50_000 }), step('tap')] });

  expect(states).toEqual(['active']);
});

// One of two reasons to be in the background is taken away; the action then runs in a frozen app.
test('brings the app to the foreground when a person uses it, whatever put it in the background', async () => {
  const states: string[] = [];
  const open = ({ device, launch }: ProbeLaunch) => ({
    tap: () => launch === 1 && states.push(device.appState.currentState),
  });

  await runProbe(open, {
    steps: [step('background', { ms: 50_000 }), step('background', { ms: 50_000 }), step('tap')],
  });

  expect(states).toEqual(['active']);
});

// The end of the first span counts against the second, which began after a relaunch had ended the first.
test('stays in the background for its whole time after an earlier one was cut short', async () => {
  const states: string[] = [];
  const open = ({ platform, device, launch }: ProbeLaunch) => {
    const note = (state: string) =>
      states.push(`${Math.round((Number(platform.Date.now()) % 60_000) / 1_000)} s ${state}`);
    if (launch === 2) device.appState.addEventListener('change', note);
    return undefined;
  };

  await runProbe(open, {
    steps: [
      step('background', { ms: 20_000 }),
      step('kill', { ms: 1_000 }),
      ...nulls(3),
      step('background', { ms: 40_000 }),
    ],
  });

  expect(states.slice(0, 2)).toEqual(['6 s background', '46 s active']);
});

test('kills the app and opens it again after its time, or at healing', async () => {
  const open = () => undefined;

  const early = await runProbe(open, { steps: [step('kill', { ms: 10_000 })] });
  const late = await runProbe(open, { slots: 10, steps: [step('kill', { ms: 900_000 })] });

  const launchesAt = (result: typeof early) =>
    result.trace.flatMap((event) => (event.kind === 'launch' ? [event.atMs] : []));
  const healedAt = (result: typeof early) =>
    result.trace.flatMap((event) => (event.kind === 'condition' && event.condition === 'healed' ? [event.atMs] : []));
  expect(launchesAt(early).slice(0, 2)).toEqual([0, 11_000]);
  expect(launchesAt(late)[1]).toBe(healedAt(late)[0]);
});

test('opens a killed app when a person uses it', async () => {
  const taps: number[] = [];
  const open = ({ launch }: ProbeLaunch) => ({ tap: () => taps.push(launch) });

  const { trace } = await runProbe(open, { steps: [step('kill', { ms: 900_000 }), step('tap')] });

  expect(taps).toEqual([2]);
  expect(trace.filter(({ kind }) => kind === 'launch')[1]?.atMs).toBe(2_000);
});

test('moves the clock of the phone and neither its timers nor the clock of the server', async () => {
  const fired: { dateMs: number; realMs: number }[] = [];
  const open = onlyFirst(({ platform }) => {
    const startMs = platform.Date.now();
    const note = () => fired.push({ dateMs: platform.Date.now() - startMs, realMs: platform.performance.now() });
    for (const atMs of [500, 10_000]) platform.setTimeout(note, atMs);
    platform.setTimeout(() => void post(platform, 1), 10_000);
  });

  const { arrivals } = await runProbe(open, { steps: [step('clock', { ms: -3_600_000 })] });

  expect(fired).toEqual([
    { dateMs: 500, realMs: 500 },
    { dateMs: -3_590_000, realMs: 10_000 },
  ]);
  const serverAfterMs = (arrivals[0]?.serverMs ?? 0) - Date.UTC(2026, 2, 2, 9);
  expect(serverAfterMs).toBeGreaterThanOrEqual(10_000);
  expect(serverAfterMs).toBeLessThan(10_300);
});

test('keeps a wrong clock over healing and launches: people rarely set it right', async () => {
  const clocks: number[] = [];
  const open = ({ platform }: ProbeLaunch) => {
    clocks.push(platform.Date.now() - EPOCH_MS);
    return undefined;
  };

  const { trace } = await runProbe(open, { steps: [step('clock', { ms: 60_000 }), step('clock', { ms: 30_000 })] });

  const launchedAtMs = trace.filter(({ kind }) => kind === 'launch').map(({ atMs }) => Math.floor(atMs));
  expect(clocks).toEqual([launchedAtMs[0], (launchedAtMs[1] ?? 0) + 90_000]);
});

test('answers 503 to everything during an outage, without effect, and then no more', async () => {
  const ends: string[] = [];
  const open = onlyFirst(({ platform }) => {
    for (const atMs of [5_000, 15_000, 40_000]) {
      platform.setTimeout(() => void ending(post(platform, atMs)).then((end) => ends.push(end)), atMs);
    }
  });

  const { arrivals } = await runProbe(open, {
    steps: [step('outage', { ms: 10_000 }), step('outage', { ms: 20_000 })],
  });

  expect(ends).toEqual(['ok 503', 'ok 503', 'ok 200']);
  expect(arrivals.map(({ body }) => body)).toEqual(['40000']);
});

test('ends an outage at healing', async () => {
  const ends: string[] = [];
  const open = onlyFirst(({ platform }) => {
    platform.setTimeout(() => void ending(post(platform, 1)).then((end) => ends.push(end)), 60_000);
  });

  await runProbe(open, { slots: 10, steps: [step('outage', { ms: 900_000 })] });

  expect(ends).toEqual(['ok 200']);
});

test('strikes no fault once the world has healed', async () => {
  const ends: string[] = [];
  const open = onlyFirst(({ platform }) => {
    platform.setTimeout(() => void ending(post(platform, 1)).then((end) => ends.push(end)), 60_000);
  });

  const { struck } = await runProbe(open, { slots: 10, faults: [{ kind: 'answer-500' }] });

  expect(ends).toEqual(['ok 200']);
  expect(struck.size).toBe(0);
});

test('lets a person come back to an app that an earlier fault has killed since the world healed', async () => {
  const asking = onlyFirst(({ platform }) => {
    platform.setInterval(() => void ending(post(platform, 1)), 5);
  });
  let visits = 0;
  const healed = () => {
    visits += 1;
  };
  const scenario = { healed };
  const plain = await runProbe(asking, { slots: 1, scenario });
  const usualVisits = visits;
  const healedAtMs = plain.trace.find((event) => event.kind === 'condition' && event.condition === 'healed')?.atMs ?? 0;
  // It left before all was well; its answer comes in after that.
  const nth = plain.requests.filter(({ sentAtMs }) => sentAtMs < healedAtMs).length;

  const { trace } = await runProbe(asking, { slots: 1, scenario, faults: [{ kind: 'kill-after', nth }] });

  const killedAtMs = trace.find((event) => event.kind === 'kill')?.atMs ?? 0;
  expect(killedAtMs).toBeGreaterThan(healedAtMs);
  expect(visits - usualVisits).toBe(usualVisits + 1);
});

test('says lengths of time as a person does', () => {
  const words = [50, 1_500, 90_000, 120_000, 5_400_000, 7_200_000].map(spanWords);

  expect(words).toEqual(['50 ms', '1.5 s', '90 s', '2 min', '90 min', '2 h']);
});

const nulls = (count: number) => Array.from({ length: count }, () => null);
