import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EPOCH_MS } from './clockwork.ts';
import { GLOBAL_NAMES } from './globals.ts';
import { catchRejections } from './run.ts';
import { ending, type Platform, type ProbeLaunch, type ProbeResult, post, runProbe, step } from './testing/probe.ts';
import { inTurn } from './testing/worlds.ts';

let release: () => void;
beforeAll(() => {
  release = catchRejections();
});
afterAll(() => release());

/** Runs code in a first launch, from 10 s on. */
async function onPhone(use: (platform: Platform) => unknown, world = 1): Promise<ProbeResult> {
  const open = ({ platform, launch }: ProbeLaunch) => {
    if (launch === 1) platform.setTimeout(() => void use(platform), 10_000);
    return undefined;
  };
  return runProbe(open, { world });
}

test('tells virtual time by every form of Date that reads the clock', async () => {
  const seen: unknown[] = [];
  const NOW_MS = EPOCH_MS + 10_000;

  await onPhone(({ Date: PhoneDate }) => {
    seen.push(PhoneDate.now(), new PhoneDate().getTime(), PhoneDate());
  });

  expect(seen).toEqual([NOW_MS, NOW_MS, new Date(NOW_MS).toString()]);
});

test('leaves every form of Date alone that does not read the clock', async () => {
  const seen: unknown[] = [];

  await onPhone(({ Date: PhoneDate }) => {
    seen.push(
      new PhoneDate('2026-01-01').toISOString(),
      new PhoneDate(2026, 0, 1).getMonth(),
      PhoneDate.parse('2026-01-01'),
      PhoneDate.UTC(2026, 0, 1),
      new PhoneDate() instanceof PhoneDate,
      new Date() instanceof PhoneDate,
      PhoneDate.name,
    );
  });

  const utcMs = Date.UTC(2026, 0, 1);
  expect(seen).toEqual(['2026-01-01T00:00:00.000Z', 0, utcMs, utcMs, true, true, 'Date']);
});

// The proxy makes a plain Date and forgets the subclass.
test('lets an app derive a class from Date', async () => {
  const seen: unknown[] = [];

  await onPhone(({ Date: PhoneDate }) => {
    class Day extends PhoneDate {
      isDay = true;
    }
    seen.push(new Day() instanceof Day);
  });

  expect(seen).toEqual([true]);
});

test('gives a drawn, repeatable Math.random, another for each launch and world', async () => {
  const random = async (world: number) => {
    const drawn: number[] = [];
    await runProbe(
      ({ platform }) => {
        drawn.push(platform.Math.random(), platform.Math.random());
        return undefined;
      },
      { world },
    );
    return drawn;
  };

  const [first = [], again = [], other = []] = await inTurn([1, 1, 2], random);

  expect(again).toEqual(first);
  expect(new Set([...first, ...other]).size).toBe(8);
  expect(first.every((one) => one >= 0 && one < 1)).toBe(true);
});

test('keeps the rest of Math', async () => {
  const seen: unknown[] = [];

  await onPhone(({ Math: phoneMath }) => {
    const { floor } = phoneMath;
    seen.push(floor(1.5), phoneMath.max(1, 2), phoneMath.PI);
  });

  expect(seen).toEqual([1, 2, Math.PI]);
});

test('draws well-formed, repeatable and different ids and bytes', async () => {
  const draw = async () => {
    const ids: string[] = [];
    const bytes: number[] = [];
    await onPhone(({ crypto }) => {
      for (let n = 0; n < 100; n += 1) ids.push(crypto.randomUUID());
      bytes.push(...crypto.getRandomValues(new Uint8Array(500)), ...crypto.getRandomValues(new Uint32Array(2)));
    });
    return { ids, bytes };
  };

  const first = await draw();
  const again = await draw();

  const uuidV4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  expect(first).toEqual(again);
  expect(new Set(first.ids).size).toBe(100);
  expect(first.ids.filter((id) => !uuidV4.test(id))).toEqual([]);
  expect(new Set(first.bytes.slice(0, 500)).size).toBeGreaterThan(200);
  expect(first.bytes).toHaveLength(502);
});

test.each(['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'])('digests with %s as node:crypto does', async (name) => {
  const hex: string[] = [];
  const data = new TextEncoder().encode('offline');

  await onPhone(async ({ crypto }) => {
    hex.push(Buffer.from(await crypto.subtle.digest(name, data)).toString('hex'));
    hex.push(Buffer.from(await crypto.subtle.digest({ name }, data.buffer)).toString('hex'));
  });

  const expected = createHash(name.toLowerCase().replace('-', '')).update(data).digest('hex');
  expect(hex).toEqual([expected, expected]);
});

test('signs with HMAC as node:crypto does', async () => {
  const hex: string[] = [];
  const key = new TextEncoder().encode('secret');
  const data = new TextEncoder().encode('offline');

  await onPhone(async ({ crypto }) => {
    const hmac = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    hex.push(Buffer.from(await crypto.subtle.sign('HMAC', hmac, data)).toString('hex'));
  });

  expect(hex).toEqual([createHmac('sha256', key).update(data).digest('hex')]);
});

test('refuses a key of another kind with what is there', async () => {
  const messages: string[] = [];

  await onPhone(({ crypto }) =>
    crypto.subtle
      .importKey('raw', new Uint8Array(16), 'AES-GCM', false, ['encrypt'])
      .catch((error: Error) => messages.push(`${error.name}: ${error.message}`)),
  );

  expect(messages[0]).toMatch(/^NotSupportedError: crypto.subtle.importKey: only raw HMAC keys/);
});

test('settles a digest before the next event, whatever its size', async () => {
  const order: string[] = [];

  await onPhone(({ crypto, setTimeout: later }) => {
    later(() => order.push('timer'), 1);
    void crypto.subtle.digest('SHA-256', new Uint8Array(1_000_000)).then(() => order.push('digest'));
  });

  expect(order).toEqual(['digest', 'timer']);
});

test('counts AbortSignal.timeout in virtual time, and rejects with its reason', async () => {
  const seen: string[] = [];

  await onPhone(async (platform) => {
    const startMs = platform.performance.now();
    const signal = platform.AbortSignal.timeout(7);
    seen.push(await ending(post(platform, 1, { signal })), `${platform.performance.now() - startMs} ms`);
  });

  expect(seen).toEqual(['TimeoutError: The operation timed out.', '7 ms']);
});

test('joins a timeout with other signals', async () => {
  const seen: string[] = [];

  await onPhone(async (platform) => {
    const signal = platform.AbortSignal.any([platform.AbortSignal.timeout(7), new AbortController().signal]);
    seen.push(await ending(post(platform, 1, { signal })));
  });

  expect(seen).toEqual(['TimeoutError: The operation timed out.']);
});

test('runs timers and intervals after their time, passes arguments, and stops them', async () => {
  const seen: unknown[] = [];

  await onPhone(({ setTimeout: later, setInterval: every, clearInterval: stop, clearTimeout, performance }) => {
    const at = () => performance.now() - 10_000;
    later((...args: unknown[]) => seen.push(['timeout', at(), ...args]), 20, 'a', 1);
    const interval = every((name: string) => seen.push([name, at()]), 10, 'interval');
    later(() => stop(interval), 35);
    clearTimeout(later(() => seen.push('stopped'), 5));
    clearTimeout(undefined);
  });

  expect(seen).toEqual([
    ['interval', 10],
    ['timeout', 20, 'a', 1],
    ['interval', 20],
    ['interval', 30],
  ]);
});

test('stops an interval from within itself', async () => {
  let fired = 0;

  await onPhone(({ setInterval: every, clearInterval: stop }) => {
    const interval = every(() => {
      fired += 1;
      stop(interval);
    }, 10);
  });

  expect(fired).toBe(1);
});

test.each([0, -5, Number.NaN, undefined])('waits at least 1 ms when asked for %s', async (delayMs) => {
  const seen: number[] = [];

  await onPhone(({ setTimeout: later, performance }) => {
    later(() => seen.push(performance.now() - 10_000), delayMs);
  });

  expect(seen).toEqual([1]);
});

test('runs setImmediate in the same instant, after the code that asked', async () => {
  const seen: unknown[] = [];

  await onPhone(({ setImmediate: soon, performance }) => {
    soon(() => seen.push(performance.now()));
    seen.push('code');
  });

  expect(seen).toEqual(['code', 10_000]);
});

// Its zero moves with each launch, and its count does not.
test('counts performance.now from performance.timeOrigin, at every launch', async () => {
  const gaps: number[] = [];
  const open = ({ platform }: ProbeLaunch) => {
    const { performance } = platform;
    platform.setTimeout(() => gaps.push(platform.Date.now() - performance.timeOrigin - performance.now()), 5);
    return undefined;
  };

  await runProbe(open, { steps: [null, step('kill', { ms: 1_000 })] });

  expect(gaps.map(Math.abs).filter((gap) => gap > 1)).toEqual([]);
});

test('puts what the app logs into the trace', async () => {
  const { trace } = await onPhone(({ console }) => {
    console.log('saved', { id: 7 }, 3);
    console.error(new RangeError('too far'));
    const circle: { self?: unknown } = {};
    circle.self = circle;
    console.warn(circle);
  });

  const logs = trace.flatMap((event) => (event.kind === 'log' ? [`${event.level} ${event.text}`] : []));
  expect(logs).toEqual(['log saved {"id":7} 3', 'error RangeError: too far', 'warn [object Object]']);
});

test("makes globalThis, self, window and global one fake, with the phone's own clocks and network", async () => {
  const seen: unknown[] = [];

  await onPhone((platform) => {
    const fake = platform.globalThis as unknown as Platform;
    seen.push(
      platform.self === fake && platform.window === fake && platform.global === fake,
      fake.globalThis === fake,
      ['setTimeout', 'Date', 'Math', 'fetch', 'crypto', 'performance', 'console'].every(
        (name) => fake[name] === platform[name],
      ),
      (fake as unknown) === globalThis,
    );
  });

  expect(seen).toEqual([true, true, true, false]);
});

test.each([
  'process',
  'require',
  'Buffer',
  'WeakRef',
  'FinalizationRegistry',
  'Worker',
  'MessageChannel',
  'localStorage',
])('has no %s, neither free nor on globalThis', async (name) => {
  const seen: unknown[] = [];

  await onPhone((platform) => {
    seen.push(platform[name], (platform.globalThis as unknown as Platform)[name]);
  });

  expect(GLOBAL_NAMES).toContain(name);
  expect(seen).toEqual([undefined, undefined]);
});

// Node has a WebSocket of its own, so an attempt that names it reaches the real network.
test('binds WebSocket, so that the real network is out of reach', () => {
  expect(GLOBAL_NAMES).toContain('WebSocket');
});

// A date format without a date reads the real clock.
test('tells virtual time by a date format without a date', async () => {
  const options = { timeZone: 'UTC', dateStyle: 'medium', timeStyle: 'medium' } as const;
  const seen: unknown[] = [];

  await onPhone((platform) => {
    const { DateTimeFormat } = (platform as unknown as { Intl: typeof Intl }).Intl;
    const format = new DateTimeFormat('en', options);
    seen.push(format.format(), DateTimeFormat('en', options).formatToParts(), format.format(0));
  });

  const real = new Intl.DateTimeFormat('en', options);
  const nowMs = EPOCH_MS + 10_000;
  expect(seen).toEqual([real.format(nowMs), real.formatToParts(nowMs), real.format(0)]);
});

test('leaves one phone with no trace of the clock of another', async () => {
  const clocks: string[] = [];
  const open = ({ platform, phone, launch }: ProbeLaunch) => {
    if (launch > 2) return undefined;
    platform.setTimeout(() => clocks.push(`${phone} ${platform.Date.now() - EPOCH_MS}`), 10_000);
    return undefined;
  };

  await runProbe(open, { scenario: { phones: 2 }, steps: [step('clock', { ms: 5_000 }, 1)] });

  expect(clocks).toEqual(['0 10000', '1 15000']);
});
