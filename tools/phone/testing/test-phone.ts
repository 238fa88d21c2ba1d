import { EventSource } from 'eventsource';
import { vi } from 'vitest';
import { describeBytes } from '../describe-bytes.ts';
import { type Conditions, createDevice, type Device, defaultConditions, type LaunchedDevice } from '../device.ts';
import { Disk, type Platform } from '../disk.ts';
import type { LocalAuthenticationResult } from '../local-authentication.ts';
import { CELLULAR, OFFLINE, WIFI } from '../net-info.ts';
import { createHands, type HandsOnDevice } from './hands-on-device.ts';
import { type Seen, type StorageFault, TestHost } from './test-host.ts';
import { createTestSockets, type SocketHands, type SocketSurroundings } from './test-sockets.ts';
import { createTestStreams, isEventStream, type StreamHands } from './test-streams.ts';

/** One request as it left the phone. */
export interface SentRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Text; bytes as their number and SHA-256, `<65536 bytes, sha256 9f86d0…>`. */
  readonly body: string;
  /** A body of bytes. */
  readonly bytes?: Uint8Array;
  /** Virtual time since the phone was made, in ms. */
  readonly atMs: number;
}

export interface TestPhone extends HandsOnDevice, SocketHands, StreamHands {
  /** The modules of the present launch. */
  readonly device: Device;
  readonly disk: Disk;
  /** Every request the app has sent, over all launches. */
  readonly requests: readonly SentRequest[];
  /**
   * Launches the app as after a kill: whatever ran before is dead, module state is fresh, storage stays.
   * `load` imports the attempt: `() => import('#attempt/offline-queue')`.
   */
  coldStart<T>(load: () => Promise<T>): Promise<T>;
  /** Kills the app: nothing it awaited settles, its timers and listeners are gone, storage stays. */
  kill(): void;
  /** Lets virtual time pass, timer by timer. What comes due in the background fires at the return to the foreground. */
  pass(ms: number): Promise<void>;
  /** Lets everything happen that needs no time: storage, answers that are there. */
  settle(): Promise<void>;
  goOffline(): Promise<void>;
  goOnline(network?: 'wifi' | 'cellular'): Promise<void>;
  goToBackground(): Promise<void>;
  goToForeground(): Promise<void>;
  /** Moves the phone's clock and leaves timers and the server's clock alone. */
  jumpClock(byMs: number): void;
  /**
   * The next storage write fails: `full` rejects for want of room, `failed` with an I/O error. Both leave the old value.
   * With `lost` the app hears that it is done, and nothing was (asyncStorage, mmkv, files).
   * `kill-before`, `torn` and `kill-after` kill the app there. `after` lets so many writes pass first.
   */
  failNextWrite(fault: StorageFault, options?: { readonly after?: number }): void;
  /** Storage writes wait, unapplied, until `releaseWrites`. */
  holdWrites(): void;
  releaseWrites(): Promise<void>;
  /** What a kata's `createBackend` is made with: the server's clock, no trace, pushes to this phone. */
  readonly backendContext: {
    nowMs(): number;
    record(label: string, data: unknown): void;
    push(phone: number, data: Readonly<Record<string, unknown>>): void;
    /** A timer of the server's: it goes on while the app is in the background or dead. */
    after(delayMs: number, run: () => void): () => void;
  };
  /** Delivers a push to the app, if it runs. */
  push(data: Readonly<Record<string, unknown>>): Promise<void>;
  /** The OS runs the app's registered background tasks once. */
  runBackgroundTasks(): Promise<void>;
  /** What the next prompts for Face ID or the like end with. */
  answerPrompts(answer: LocalAuthenticationResult): void;
  /** The server's clock, in ms since 1970: right whatever the phone's says. */
  serverNowMs(): number;
  /** Listeners the app has on the phone's modules. */
  listenerCount(): number;
  /** Puts the real timers and the real `fetch` back: for `afterEach`. */
  dispose(): void;
}

const FAKED = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] as const;

/**
 * Makes a phone that is online and in the foreground, with an empty disk. `now` is ISO text, both clocks' start;
 * `platform` says whose Keychain rules it follows (default `ios`).
 */
export function createPhone({
  now = '2026-03-02T09:00:00.000Z',
  platform = 'ios',
}: {
  now?: string;
  platform?: Platform;
} = {}): TestPhone {
  vi.useFakeTimers({ now: new Date(now), toFake: [...FAKED] });
  const startMs = Date.parse(now);
  const startedAt = performance.now();
  const elapsedMs = () => Math.round(performance.now() - startedAt);
  const realFetch = globalThis.fetch;
  const realAbortSignal = globalThis.AbortSignal;
  const disk = new Disk();
  const conditions: Conditions = { ...defaultConditions(), platform };
  const seen: Seen = { cipherCalls: [], prompts: 0, draws: 0 };
  const requests: SentRequest[] = [];
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
  const timers = { setTimeout, setInterval, clearTimeout, clearInterval };
  /** Timers of the launch that have not come due. */
  const running = new Set<NodeJS.Timeout>();
  /** Timers that came due in the background. */
  const frozen = new Map<NodeJS.Timeout, () => void>();
  const faults: (StorageFault | null)[] = [];
  const gate = { held: false, waiting: [] as (() => void)[] };
  /** What came for the app while it was in the background. */
  const waiting: (() => void)[] = [];
  let inFlight = 0;
  let isDisposed = false;
  let host: TestHost;
  let launched: LaunchedDevice;

  /** Starts a timer. One that comes due in the background fires at the return, as in the simulation. */
  function startTimer<A extends unknown[]>(
    start: (callback: (...args: A) => void, ms?: number, ...args: A) => NodeJS.Timeout,
    callback: (...args: A) => void,
    ms: number | undefined,
    args: A,
  ): NodeJS.Timeout {
    const isOneShot = start === (timers.setTimeout as typeof start);
    const fire = (...given: A) => {
      if (isOneShot) running.delete(id);
      if (conditions.appState === 'background') frozen.set(id, () => callback(...given));
      else callback(...given);
    };
    const id = start(fire, ms, ...args);
    running.add(id);
    return id;
  }

  /** `AbortSignal` whose `timeout` counts virtual time: the platform's own would count real time. */
  function virtualAbortSignal(): typeof AbortSignal {
    const timeout = (ms: number) => {
      const controller = new AbortController();
      const expire = () => controller.abort(new DOMException('The operation timed out.', 'TimeoutError'));
      startTimer<[]>(timers.setTimeout, expire, ms, []);
      return controller.signal;
    };
    return new Proxy(realAbortSignal, {
      get: (target, name) => (name === 'timeout' ? timeout : Reflect.get(target, name)),
    });
  }

  function launch(): void {
    host = new TestHost({ disk, faults, gate, seen, die: kill });
    launched = createDevice(host, disk, conditions);
    const own = host;
    vi.stubGlobal('setTimeout', (callback: () => void, ms?: number, ...args: []) =>
      startTimer(timers.setTimeout, callback, ms, args),
    );
    vi.stubGlobal('setInterval', (callback: () => void, ms?: number, ...args: []) =>
      startTimer(timers.setInterval, callback, ms, args),
    );
    for (const name of ['clearTimeout', 'clearInterval'] as const) {
      vi.stubGlobal(name, (id: NodeJS.Timeout) => {
        frozen.delete(id);
        running.delete(id);
        timers[name](id);
      });
    }
    vi.stubGlobal('AbortSignal', virtualAbortSignal());
    vi.stubGlobal('WebSocket', sockets.classFor(own));
    vi.stubGlobal('EventSource', EventSource);
    // React Native has it, and libraries for workers and browsers ask for it.
    vi.stubGlobal('self', globalThis);
    vi.stubGlobal('fetch', (input: RequestInfo | URL, init?: RequestInit) => own.settleIfAlive(send(own, input, init)));
  }

  /** A request leaves when it is made: text bodies are at hand, and only others must be read first. */
  async function send(own: TestHost, input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init);
    const bytes = copyOfBytes(init?.body);
    if (bytes) return depart(own, request, describeBytes(bytes), bytes);
    const body = typeof init?.body === 'string' ? init.body : request.body === null ? '' : null;
    return depart(own, request, body ?? (await request.clone().text()));
  }

  async function depart(own: TestHost, request: Request, body: string, bytes?: Uint8Array): Promise<Response> {
    request.signal.throwIfAborted();
    const headers = Object.fromEntries(request.headers);
    const { method, url } = request;
    requests.push({ method, url, headers, body, ...(bytes && { bytes }), atMs: elapsedMs() });
    if (!conditions.network.isConnected) throw new TypeError('Network request failed');
    inFlight += 1;
    try {
      const response = await realFetch(request);
      return isEventStream(response) ? streams.carry(response, own, request.signal) : response;
    } finally {
      inFlight -= 1;
    }
  }

  /** An MSW answer needs a turn of the real event loop or two; one that is held back must not hold the test. */
  async function settle(): Promise<void> {
    for (
      let turn = 0;
      turn < 4 || (inFlight > 0 && turn < 25) || (streams.hands.openStreams > 0 && turn < 12);
      turn += 1
    ) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  function kill(): void {
    host.kill();
    disk.appKilled();
    // Vitest's own `clearAllTimers` would put the clock back to its start as well.
    for (const id of running) timers.clearTimeout(id);
    running.clear();
    frozen.clear();
    waiting.length = 0;
    sockets.appKilled();
    streams.appKilled();
    gate.waiting.length = 0;
    gate.held = false;
  }

  async function change(apply: () => void): Promise<void> {
    apply();
    await settle();
  }

  const goToBackground = () =>
    change(() => {
      conditions.appState = 'background';
      launched.appStateChanged();
    });
  const goToForeground = () =>
    change(() => {
      conditions.appState = 'active';
      launched.appStateChanged();
      for (const [id, fire] of [...frozen]) if (frozen.delete(id)) fire();
      for (const run of waiting.splice(0)) run();
    });

  function notify(data: Readonly<Record<string, unknown>>): void {
    const content = { title: null, body: null, data };
    launched.notified({ date: Date.now(), request: { identifier: 'push', content } });
  }

  /** What the phone's old network carried is half-open now, as on a real one: nothing passes, and nobody is told. */
  function loseConnections(): void {
    sockets.networkLost();
    streams.networkLost();
  }

  const surroundings: SocketSurroundings = {
    isOnline: () => conditions.network.isConnected,
    deliver(own, run) {
      if (!own.isAlive) return;
      if (conditions.appState === 'background') waiting.push(run);
      else run();
    },
    elapsedMs,
    settle,
  };
  const sockets = createTestSockets(surroundings);
  const streams = createTestStreams(surroundings);

  launch();
  return {
    ...sockets.hands,
    ...createHands({ disk, conditions, seen, kill, goToBackground, goToForeground }),
    get device() {
      return launched.device;
    },
    disk,
    requests,
    async coldStart(load) {
      kill();
      conditions.appState = 'active';
      launch();
      vi.resetModules();
      return load();
    },
    kill,
    async pass(ms) {
      await settle();
      let done = false;
      timers.setTimeout(() => {
        done = true;
      }, ms);
      while (!done) {
        // A test that timed out goes on behind the next one's back, and must not move that one's clock.
        if (isDisposed) return new Promise(() => undefined);
        vi.advanceTimersToNextTimer();
        await settle();
      }
    },
    settle,
    goOffline: () =>
      change(() => {
        conditions.network = OFFLINE;
        loseConnections();
        launched.networkChanged();
      }),
    goOnline: (network = 'wifi') =>
      change(() => {
        const isOther = conditions.network.type !== network;
        conditions.network = network === 'wifi' ? WIFI : CELLULAR;
        if (isOther) loseConnections();
        launched.networkChanged();
      }),
    goToBackground,
    goToForeground,
    jumpClock: (byMs) => {
      vi.setSystemTime(Date.now() + byMs);
    },
    failNextWrite: (fault, { after = 0 } = {}) => {
      for (let n = 0; n < after; n += 1) faults.push(null);
      faults.push(fault);
    },
    holdWrites: () => {
      gate.held = true;
    },
    releaseWrites: () =>
      change(() => {
        gate.held = false;
        for (const go of gate.waiting.splice(0)) go();
      }),
    backendContext: {
      nowMs: () => startMs + elapsedMs(),
      record: () => undefined,
      push: (_phone, data) => notify(data),
      after(delayMs, run) {
        const id = timers.setTimeout(run, delayMs);
        return () => timers.clearTimeout(id);
      },
    },
    push: (data) => change(() => notify(data)),
    runBackgroundTasks: async () => {
      await Promise.allSettled(launched.backgroundTasks().map(({ run }) => run()));
    },
    answerPrompts: (answer) => {
      conditions.biometrics.answer = answer;
    },
    serverNowMs: () => startMs + elapsedMs(),
    listenerCount: () => (host.isAlive ? launched.listenerCount() : 0),
    get openStreams() {
      return streams.hands.openStreams;
    },
    dropStreams: streams.hands.dropStreams,
    dispose() {
      isDisposed = true;
      host.kill();
      disk.close();
      vi.unstubAllGlobals();
      vi.useRealTimers();
    },
  };
}

/** What a request's bytes are as it leaves; undefined when its body is none of bytes. */
function copyOfBytes(body: unknown): Uint8Array | undefined {
  if (body instanceof ArrayBuffer) return new Uint8Array(body.slice(0));
  return ArrayBuffer.isView(body) ? new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice() : undefined;
}
