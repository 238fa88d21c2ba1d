import { Hono } from 'hono';
import { expect, test } from 'vitest';
import type { ServerSocket } from '../phone/server-socket.ts';
import type { CONNECT_FAULTS, RECEIVE_FAULTS, SEND_FAULTS } from './fault-kinds.ts';
import type { RealtimeContext } from './scenario.ts';
import { storyEvents } from './story-events.ts';
import { type ProbeLaunch, type ProbeOptions, type ProbeResult, runProbe, step } from './testing/probe.ts';
import { inTurn, worlds } from './testing/worlds.ts';
import type { SocketRecord, TraceEvent } from './trace.ts';
import type { AnyScenario } from './world.ts';

const SOCKET_URL = 'wss://socket.example.test/live?room=1';

/** What the server saw and heard, in order. */
interface Served extends ProbeResult {
  readonly served: readonly string[];
  /** What the app saw and heard, in order. */
  readonly seen: readonly string[];
  readonly socket: WebSocket | undefined;
}

interface Server {
  connected?(socket: ServerSocket, context: RealtimeContext): void;
  said?(text: string, socket: ServerSocket): void;
}

/** An app whose first launch opens one socket and notes what it is told; a server that notes and answers. */
async function connectUnder(
  options: ProbeOptions & {
    server?: Server;
    use?(socket: WebSocket, launch: ProbeLaunch): void;
    opensAtTap?: boolean;
    everyLaunch?: boolean;
  } = {},
): Promise<Served> {
  const served: string[] = [];
  const seen: string[] = [];
  let socket: WebSocket | undefined;
  const backend = (context: RealtimeContext) => ({
    app: new Hono(),
    arrivals: [],
    sockets: {
      connect({ url }: { url: string }, connection: ServerSocket) {
        served.push(`connect ${new URL(url).pathname}`);
        connection.onMessage((text) => {
          served.push(`got ${text}`);
          options.server?.said?.(text, connection);
        });
        connection.onClose((code, reason) => served.push(`over ${code} ${reason}`.trim()));
        options.server?.connected?.(connection, context);
      },
    },
  });
  const open = (launch: ProbeLaunch) => {
    if (launch.launch > 1 && !options.everyLaunch) return undefined;
    const connect = () => {
      const Socket = launch.platform.WebSocket as typeof WebSocket;
      const mine = new Socket(SOCKET_URL);
      socket = mine;
      mine.onopen = () => seen.push('open');
      mine.onmessage = ({ data }) => seen.push(`got ${data}`);
      mine.onerror = () => seen.push('error');
      mine.onclose = ({ code, reason, wasClean }) => seen.push(`close ${code} ${reason} ${wasClean}`);
      options.use?.(mine, launch);
    };
    if (options.opensAtTap) return { tap: connect };
    connect();
    return undefined;
  };
  const result = await runProbe(open, { ...options, scenario: { backend, ...options.scenario } });
  return { ...result, served, seen, socket };
}

/** A server that sends "one" to "five", a second apart, once the app is in. */
const COUNTING: Server = {
  connected: (socket, { after }) => {
    for (const [n, word] of ['one', 'two', 'three', 'four', 'five'].entries())
      after(1_000 * (n + 1), () => socket.send(word));
  },
};
/** An app that says "one" to "three", a second apart. */
const sayingWhenOpen = (socket: WebSocket, { platform }: ProbeLaunch) => {
  for (const [n, word] of ['one', 'two', 'three'].entries())
    platform.setTimeout(() => socket.send(word), 1_000 * (n + 1));
};
const struckBy = (target: string, kind: string, nth = 2) => ({ faults: [{ target, kind, nth }] });
const ALL_FIVE = ['open', 'got one', 'got two', 'got three', 'got four', 'got five'];
const BROKEN = ['error', 'close 1006  false'];
const isKilled = ({ trace }: ProbeResult) => trace.some(({ kind, atMs }) => kind === 'kill' && atMs < 90_000);

const socketOf = ({ trace }: ProbeResult): SocketRecord | undefined =>
  trace.flatMap((event) => (event.kind === 'socket' ? [event.socket] : []))[0];
const arrivalsAtMs = (trace: readonly TraceEvent[]) =>
  trace.flatMap((event) => (event.kind === 'frame' && event.phase === 'arrived' ? [event.atMs] : []));

test('opens a socket, carries frames both ways, and closes it as the app asks', async () => {
  const { served, seen } = await connectUnder({
    server: { said: (text, socket) => socket.send(`echo ${text}`) },
    use: (socket, { platform }) => {
      socket.addEventListener('open', () => socket.send('one'));
      platform.setTimeout(() => socket.close(4321, 'enough'), 5_000);
    },
  });

  expect(served).toEqual(['connect /live', 'got one', 'over 4321 enough']);
  expect(seen).toEqual(['open', 'got echo one', 'close 4321 enough true']);
});

test('keeps the order of frames, though each takes its own time', async () => {
  const burst = Array.from({ length: 50 }, (_, n) => `${n}`);
  const server: Server = {
    connected: (socket) => {
      for (const text of burst) socket.send(text);
    },
  };

  const runs = await inTurn(worlds(5), (world) => connectUnder({ world, server }));

  for (const { seen } of runs) expect(seen).toEqual(['open', ...burst.map((text) => `got ${text}`)]);
});

test('tells the app the code by which the server closes, after all frames before', async () => {
  const { seen, served } = await connectUnder({
    server: {
      connected: (socket) => {
        socket.send('last');
        socket.close(4200, 'come back');
        socket.send('too late');
      },
    },
  });

  expect(seen).toEqual(['open', 'got last', 'close 4200 come back true']);
  expect(served).toEqual(['connect /live', 'over 4200 come back']);
});

test('breaks with 1006 when the server terminates', async () => {
  const { seen, served } = await connectUnder({ server: { connected: (socket) => socket.terminate() } });

  expect(seen).toEqual(['open', ...BROKEN]);
  expect(served).toEqual(['connect /live', 'over 1006']);
});

test('refuses every socket where the backend takes none', async () => {
  const { seen } = await connectUnder({ scenario: { backend: () => ({ app: new Hono() }) } });

  expect(seen).toEqual(BROKEN);
});

/** What each kind promises of the only connection: what the app saw, how much the server did, whether it was killed. */
const CONNECTING: Record<keyof typeof CONNECT_FAULTS, readonly [seen: string[], served: number, killed: boolean]> = {
  // The probe's relaunch at the end ends the connection for the server as well.
  slow: [['open'], 2, false],
  refused: [BROKEN, 0, false],
  hang: [BROKEN, 0, false],
  'kill-before': [[], 0, true],
  'kill-after': [[], 2, true],
};

test.each(Object.entries(CONNECTING))('does what %s says to a connection', async (kind, [seen, served, killed]) => {
  const result = await connectUnder(struckBy('socket.connect', kind, 1));

  expect({ seen: result.seen, served: result.served.length, killed: isKilled(result) }).toEqual({
    seen,
    served,
    killed,
  });
  expect([...result.struck]).toEqual([[`socket.connect ${kind}`, 1]]);
});

test('gives up on a handshake that hangs after a minute, and waits seconds for a slow one', async () => {
  const hang = await connectUnder(struckBy('socket.connect', 'hang', 1));
  const slow = await connectUnder(struckBy('socket.connect', 'slow', 1));

  expect(socketOf(hang)).toMatchObject({ state: 'closed', openedAtMs: null, closedAtMs: 60_000, closeCode: 1006 });
  expect(socketOf(slow)?.openedAtMs).toBeGreaterThan(2_000);
});

/** What each kind promises of "two" among five frames: what the app saw of it and after, whether it was killed. */
const RECEIVING: Record<keyof typeof RECEIVE_FAULTS, readonly [seen: string[], killed: boolean]> = {
  delay: [['open', 'got one', 'got three', 'got four', 'got five', 'got two'], false],
  duplicate: [['open', 'got one', 'got two', 'got two', 'got three', 'got four', 'got five'], false],
  lost: [['open', 'got one', 'got three', 'got four', 'got five'], false],
  drop: [['open', 'got one', ...BROKEN], false],
  'half-open': [['open', 'got one'], false],
  'kill-before': [['open', 'got one'], true],
  'kill-after': [['open', 'got one', 'got two'], true],
};

test.each(Object.entries(RECEIVING))('does what %s says to a frame to the phone', async (kind, [seen, killed]) => {
  const runs = await inTurn(worlds(12), (world) =>
    connectUnder({ world, server: COUNTING, ...struckBy('socket.receive', kind) }),
  );

  expect(runs.map((run) => run.seen.join())).toContain(seen.join());
  expect(new Set(runs.map(isKilled))).toEqual(new Set([killed]));
  expect(new Set(runs.map(({ struck }) => [...struck].join()))).toEqual(new Set([`socket.receive ${kind},1`]));
});

/** What each kind promises of "two" among three frames: what the server heard, whether the app was killed. */
const SENDING: Record<keyof typeof SEND_FAULTS, readonly [served: string[], killed: boolean]> = {
  lost: [['got one', 'got three'], false],
  drop: [['got one', 'over 1006'], false],
  'half-open': [['got one', 'over 1006'], false],
  'kill-before': [['got one', 'over 1006'], true],
  'kill-after': [['got one', 'got two', 'over 1006'], true],
};

test.each(Object.entries(SENDING))('does what %s says to a frame from the phone', async (kind, [served, killed]) => {
  const runs = await inTurn(worlds(12), (world) =>
    connectUnder({ world, use: sayingWhenOpen, ...struckBy('socket.send', kind) }),
  );

  const heard = runs.map((run) => run.served.slice(1).join());
  expect(heard.some((text) => text.startsWith(served.join()))).toBe(true);
  expect(new Set(runs.map(isKilled))).toEqual(new Set([killed]));
  expect(new Set(runs.map(({ struck }) => [...struck].join()))).toEqual(new Set([`socket.send ${kind},1`]));
});

test('leaves a half-open socket silent: in some worlds for ever, in others until it is told or sends', async () => {
  const half = struckBy('socket.receive', 'half-open');
  const silent = await inTurn(worlds(24), (world) => connectUnder({ world, server: COUNTING, ...half }));
  const talking = await inTurn(worlds(24), (world) =>
    connectUnder({
      world,
      server: COUNTING,
      ...half,
      use: (socket, { platform }) => platform.setInterval(() => socket.send('ping'), 10_000),
    }),
  );

  const toldAtMs = (runs: readonly Served[]) =>
    runs.flatMap((run) => (socketOf(run)?.closeCode === 1006 ? [socketOf(run)?.closedAtMs ?? 0] : []));
  expect(toldAtMs(silent).length).toBeGreaterThan(4);
  expect(toldAtMs(silent).length).toBeLessThan(20);
  expect(Math.min(...toldAtMs(silent))).toBeLessThan(5_000);
  expect(Math.max(...toldAtMs(silent))).toBeGreaterThan(30_000);
  expect(toldAtMs(talking).length).toBeGreaterThan(toldAtMs(silent).length);
  expect(toldAtMs(talking).length).toBeLessThan(24);
});

test('makes a socket half-open when the phone goes offline, and when it changes its network', async () => {
  const under = (name: string) =>
    inTurn(worlds(8), (world) =>
      connectUnder({ world, server: COUNTING, steps: [null, null, step(name, { ms: 20_000 })] }),
    );

  for (const run of [...(await under('offline')), ...(await under('handover'))]) {
    expect(run.seen.filter((line) => line.startsWith('got')).length).toBeLessThan(4);
    expect(socketOf(run)?.isHalfOpen).toBe(true);
    expect(run.served.at(-1)).toBe('over 1006');
  }
});

test('fails at once to connect while offline', async () => {
  const result = await connectUnder({
    steps: [step('offline', { ms: 20_000 }), step('tap')],
    use: () => undefined,
    opensAtTap: true,
  });

  expect(result.seen).toEqual(BROKEN);
  expect(result.served).toEqual([]);
  expect(socketOf(result)?.startedOnline).toBe(false);
});

test('keeps frames for an app in the background until it is back, in their order', async () => {
  const steps = [null, step('background', { ms: 8_000 })];
  const runs = await inTurn(worlds(4), (world) => connectUnder({ world, server: COUNTING, steps }));

  for (const { seen, trace } of runs) {
    expect(seen).toEqual(ALL_FIVE);
    expect(arrivalsAtMs(trace).slice(1)).toEqual([10_000, 10_000, 10_000, 10_000]);
  }
});

test('closes sockets of an app that is long in the background, in some worlds', async () => {
  const steps = [null, step('background', { ms: 80_000 })];
  const runs = await inTurn(worlds(24), (world) => connectUnder({ world, steps }));

  const closed = runs.filter(({ seen }) => seen.includes('close 1006  false'));
  expect(closed.length).toBeGreaterThan(3);
  expect(closed.length).toBeLessThan(21);
  expect(socketOf(closed[0] as Served)?.closedAtMs).toBe(82_000);
});

test('breaks every socket in an outage, and refuses new ones', async () => {
  const breaks = await connectUnder({ steps: [null, step('outage', { ms: 20_000 })] });
  const refuses = await connectUnder({ steps: [step('outage', { ms: 20_000 }), step('tap')], opensAtTap: true });

  expect(breaks.seen).toEqual(['open', ...BROKEN]);
  expect(breaks.served).toEqual(['connect /live', 'over 1006']);
  expect(refuses.seen).toEqual(BROKEN);
});

test('runs no code of a killed app; the server hears of it later', async () => {
  const { seen, served, trace } = await connectUnder({
    server: COUNTING,
    steps: [null, null, step('kill', { ms: 1_000 })],
  });

  const overAtMs = trace.find((event) => event.kind === 'socket' && event.phase === 'ended')?.atMs ?? 0;
  expect(seen).toEqual(['open', 'got one', 'got two']);
  expect(served).toEqual(['connect /live', 'over 1006']);
  expect(overAtMs).toBeGreaterThan(3_000);
});

test('shows an invariant how many sockets are open, and what each was', async () => {
  const open: number[] = [];
  const noting: AnyScenario['invariants'][number] = {
    id: 'one-socket',
    promise: 'notes what is open',
    spec: [],
    watch:
      ({ phones, sockets }) =>
      (event) => {
        if (event.kind === 'socket') open.push(phones[0]?.openSockets ?? -1);
        return sockets.length > 1 ? 'more than one' : undefined;
      },
  };

  const { seen, violations } = await connectUnder({
    use: (socket, { platform }) => platform.setTimeout(() => socket.close(), 3_000),
    scenario: { invariants: [noting] },
  });

  expect(seen).toEqual(['open', 'close 1005  true']);
  expect(open).toEqual([1, 1, 1, 0, 0, 0]);
  expect(violations).toEqual([]);
});

test('counts sockets, frames and their bytes', async () => {
  const { costs } = await connectUnder({
    server: { said: (_, socket) => socket.send('yes') },
    use: (socket) => socket.addEventListener('open', () => socket.send('hello')),
  });

  expect(costs).toMatchObject({ socketsOpened: 1, framesSent: 1, bytesSent: 5, framesReceived: 1, bytesReceived: 3 });
});

test('finds a socket that is left open after dispose, and a frame that is still sent', async () => {
  const leaves = await connectUnder({ everyLaunch: true });
  const sends = await connectUnder({
    everyLaunch: true,
    use: (socket, { platform }) => platform.setInterval(() => socket.readyState === 1 && socket.send('x'), 30_000),
  });

  const textOf = ({ violations }: Served) => violations.map(({ invariant, text }) => `${invariant}: ${text}`);
  expect(textOf(leaves)).toEqual(['silent-after-dispose: After dispose 1 socket is still open.']);
  expect(textOf(sends)[0]).toContain('silent-after-dispose');
});

test('stops an app that opens sockets without end', async () => {
  const { violations } = await connectUnder({
    use: (_, { platform }) => {
      const Socket = platform.WebSocket as typeof WebSocket;
      platform.setInterval(() => new Socket(SOCKET_URL).close(), 20);
    },
  });

  expect(violations[0]).toMatchObject({ invariant: 'bounded' });
  expect(violations[0]?.text).toMatch(/1001 sockets and 0 frames/);
});

test('throws and closes as the standard says', async () => {
  const notes: string[] = [];
  const nameOf = (run: () => unknown) => {
    try {
      run();
      notes.push('nothing');
    } catch (error) {
      notes.push((error as Error).name);
    }
  };
  const { socket } = await connectUnder({
    use: (socket, { platform }) => {
      const Socket = platform.WebSocket as typeof WebSocket;
      for (const url of ['nowhere', 'ftp://a.test', 'wss://a.test/#part']) nameOf(() => new Socket(url));
      nameOf(() => new Socket(SOCKET_URL, ['a', 'a']));
      nameOf(() => socket.send('too early'));
      nameOf(() => socket.close(1001));
      nameOf(() => socket.close(1000, 'x'.repeat(124)));
      socket.addEventListener('open', () => {
        nameOf(() => socket.send(new ArrayBuffer(1)));
        socket.close(3000);
        nameOf(() => socket.send('too late'));
        nameOf(() => socket.close(3000));
      });
    },
  });

  expect(notes).toEqual([
    'SyntaxError',
    'SyntaxError',
    'SyntaxError',
    'SyntaxError',
    'InvalidStateError',
    'InvalidAccessError',
    'SyntaxError',
    'NotSupportedError',
    'nothing',
    'nothing',
  ]);
  expect([socket?.readyState, socket?.bufferedAmount, socket?.url]).toEqual([3, 8, SOCKET_URL]);
});

test('tells sockets in words and lanes: a lost frame ends nowhere', async () => {
  const { trace } = await connectUnder({ server: COUNTING, ...struckBy('socket.receive', 'lost') });

  const events = storyEvents(trace, null).map(({ lane, to, text, mark }) => `${lane}>${to} ${text} ${mark}`);
  expect(events.slice(1, 6)).toEqual([
    'app>server connects socket #1 none',
    'server>app accepts socket #1 none',
    'server>app one none',
    'server>app two lost',
    'server>app three none',
  ]);
});
