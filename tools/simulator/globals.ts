// The platform as one launch sees it: clocks, timers, randomness and the network of its phone, under their usual names.
import { createHash, createHmac } from 'node:crypto';
import { createWebSocket } from '../phone/web-socket.ts';
import type { Launch } from './launch.ts';

/** The names an attempt's free globals are bound to. What is undefined here is not there on a phone. */
export const GLOBAL_NAMES = [
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'setImmediate',
  'clearImmediate',
  'Date',
  'Intl',
  'Math',
  'crypto',
  'performance',
  'fetch',
  'AbortSignal',
  'console',
  'navigator',
  'globalThis',
  'self',
  'global',
  'window',
  'process',
  'Buffer',
  'require',
  'WeakRef',
  'FinalizationRegistry',
  'MessageChannel',
  'BroadcastChannel',
  'localStorage',
  'Worker',
  'SharedArrayBuffer',
  'Atomics',
  'WebSocket',
] as const;

/** What is undefined is not there on a phone. */
export type Globals = Readonly<Partial<Record<(typeof GLOBAL_NAMES)[number], unknown>>>;

const stopTimer = (launch: Launch) => (id: number) => launch.stopTimer(id);

/** How each is made. There are many launches, and an app uses a few of these: none is made that is not asked for. */
const MAKERS: Readonly<Partial<Record<string, (launch: Launch) => unknown>>> = {
  setTimeout:
    (launch) =>
    (callback: (...args: unknown[]) => void, delayMs?: number, ...args: unknown[]) =>
      launch.startTimer(() => callback(...args), atLeastOne(delayMs), null),
  clearTimeout: stopTimer,
  setInterval:
    (launch) =>
    (callback: (...args: unknown[]) => void, everyMs?: number, ...args: unknown[]) =>
      launch.startTimer(() => callback(...args), atLeastOne(everyMs), atLeastOne(everyMs)),
  clearInterval: stopTimer,
  setImmediate:
    (launch) =>
    (callback: (...args: unknown[]) => void, ...args: unknown[]) =>
      launch.startTimer(() => callback(...args), 0, null),
  clearImmediate: stopTimer,
  Date: dateOf,
  Intl: intlOf,
  Math: mathOf,
  crypto: cryptoOf,
  performance: performanceOf,
  fetch: (launch) => (input: RequestInfo | URL, init?: RequestInit) => launch.fetch(input, init),
  AbortSignal: abortSignalOf,
  console: consoleOf,
  navigator: () => ({ product: 'ReactNative' }),
  WebSocket: webSocketOf,
};

/** Names of the one object that has them all. */
const GLOBAL_OBJECTS = ['globalThis', 'self', 'global', 'window'];

class LaunchGlobals {
  readonly #launch: Launch;
  readonly #made = new Map<string, unknown>();

  constructor(launch: Launch) {
    this.#launch = launch;
  }

  of(name: string): unknown {
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const value = GLOBAL_OBJECTS.includes(name) ? this.#whole() : MAKERS[name]?.(this.#launch);
    this.#made.set(name, value);
    return value;
  }

  #whole(): Record<string, unknown> {
    const whole: Record<string, unknown> = { ...STANDARD };
    for (const name of Object.keys(MAKERS)) whole[name] = this.of(name);
    for (const name of GLOBAL_OBJECTS) {
      whole[name] = whole;
      this.#made.set(name, whole);
    }
    return whole;
  }
}
for (const name of [...Object.keys(MAKERS), ...GLOBAL_OBJECTS]) {
  Object.defineProperty(LaunchGlobals.prototype, name, {
    get(this: LaunchGlobals) {
      return this.of(name);
    },
  });
}

/** The globals of one launch. Each is made when it is first read. */
export const createGlobals = (launch: Launch): Globals => new LaunchGlobals(launch) as Globals;

/** What else a library may look for on `globalThis`. */
const STANDARD = {
  Request,
  Response,
  Headers,
  URL,
  URLSearchParams,
  AbortController,
  Event,
  EventTarget,
  TextEncoder,
  TextDecoder,
  ReadableStream,
  Blob,
  FormData,
  structuredClone,
  queueMicrotask,
  Promise,
  Symbol,
  Object,
  Array,
  Map,
  Set,
  JSON,
  Error,
  DOMException,
  MessageEvent,
  CloseEvent,
};

/** As Node and browsers do: nothing fires in the same instant, and what is no number is none. */
function atLeastOne(delayMs: number | undefined): number {
  return Math.max(Number(delayMs) || 0, 1);
}

/** A class of its own for each launch: a dead app's sockets lead nowhere. */
function webSocketOf(launch: Launch) {
  return createWebSocket({
    open: (url, end) => launch.openSocket(url, end),
    elapsedMs: () => launch.elapsedMs(),
  });
}

/** Counts from the launch, and no jump of the phone's clock moves it. */
function performanceOf(launch: Launch) {
  return { now: () => launch.elapsedMs(), timeOrigin: launch.startedAtMs };
}

function dateOf(launch: Launch): DateConstructor {
  const now = () => launch.nowMs();
  return new Proxy(Date, {
    construct: (target, args: readonly unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: () => new Date(now()).toString(),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  });
}

/** `Intl` whose date formats, asked for no date, take the phone's now, and whose default zone is the phone's. */
function intlOf(launch: Launch): typeof Intl {
  const make = (locales?: Intl.LocalesArgument, options?: Intl.DateTimeFormatOptions) => {
    const timeZone = launch.timeZone();
    const real = new Intl.DateTimeFormat(locales ?? 'en-GB', { timeZone, ...options });
    const { format } = real;
    const formatToParts = real.formatToParts.bind(real);
    return Object.defineProperties(real, {
      format: { value: (date?: Date | number) => format(date ?? launch.nowMs()) },
      formatToParts: { value: (date?: Date | number) => formatToParts(date ?? launch.nowMs()) },
    });
  };
  type Arguments = Parameters<typeof make>;
  const value = new Proxy(Intl.DateTimeFormat, {
    construct: (_target, args) => make(...(args as Arguments)),
    apply: (_target, _self, args) => make(...(args as Arguments)),
  });
  return Object.create(Intl, { DateTimeFormat: { value } }) as typeof Intl;
}

function mathOf(launch: Launch): Math {
  return Object.create(Math, { random: { value: () => launch.random('Math.random') } });
}

/** `AbortSignal` with a `timeout` that counts virtual time. */
function abortSignalOf(launch: Launch): typeof AbortSignal {
  const timeout = (delayMs: number) => {
    const controller = new AbortController();
    const expire = () => controller.abort(new DOMException('The operation timed out.', 'TimeoutError'));
    // An app cannot stop this timer, so it is none that an app can leave behind.
    launch.timers.delete(launch.startTimer(expire, atLeastOne(delayMs), null));
    return controller.signal;
  };
  return new Proxy(AbortSignal, { get: (target, name) => (name === 'timeout' ? timeout : Reflect.get(target, name)) });
}

function consoleOf(launch: Launch): Record<string, (...args: unknown[]) => void> {
  const at =
    (level: string) =>
    (...args: unknown[]) => {
      if (!launch.alive) return;
      const text = args.map((arg) => (typeof arg === 'string' ? arg : safeJson(arg))).join(' ');
      launch.world.emit({ atMs: launch.world.nowMs, phone: launch.phone.index, kind: 'log', level, text });
    };
  return Object.fromEntries(['debug', 'log', 'info', 'warn', 'error', 'trace'].map((level) => [level, at(level)]));
}

function safeJson(value: unknown): string {
  try {
    return value instanceof Error ? `${value.name}: ${value.message}` : (JSON.stringify(value) ?? String(value));
  } catch {
    return String(value);
  }
}

const HEX_OF_BYTE = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const hex8 = (value: number) => HEX_OF_BYTE[value & 0xff] as string;

/** 32 bits as eight digits. */
const hex32 = (bits: number): string => hex8(bits >>> 24) + hex8(bits >>> 16) + hex8(bits >>> 8) + hex8(bits);

/** Web Crypto with drawn randomness. `subtle` is synchronous underneath: the thread pool would break determinism. */
function cryptoOf(launch: Launch) {
  const byte = () => Math.floor(launch.random('crypto') * 256);
  const getRandomValues = <T extends ArrayBufferView>(array: T): T => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let i = 0; i < bytes.length; i += 1) bytes[i] = byte();
    return array;
  };
  // One draw of 32 bits, and what follows from it: enough to tell ids apart, and many are made.
  const randomUUID = () => {
    const seed = Math.floor(launch.random('uuid') * 2 ** 32);
    const b = hex32(Math.imul(seed, 0x9e3779b1));
    return `${hex32(seed)}-${b.slice(0, 4)}-4${b.slice(5)}-8000-${hex32(Math.imul(seed, 0x85ebca6b))}0000`;
  };
  return { getRandomValues, randomUUID, subtle: { digest: digestNow, sign: signNow, importKey: importKeyNow } };
}

type HashName = string | { name: string };
const nodeHash = (hash: HashName) => (typeof hash === 'string' ? hash : hash.name).toLowerCase().replace('-', '');
const toArrayBuffer = (bytes: Buffer): ArrayBuffer => new Uint8Array(bytes).buffer;
const toBytes = (data: BufferSource): Uint8Array =>
  ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);

async function digestNow(hash: HashName, data: BufferSource): Promise<ArrayBuffer> {
  return toArrayBuffer(createHash(nodeHash(hash)).update(toBytes(data)).digest());
}

interface HmacKey {
  readonly hash: string;
  readonly bytes: Uint8Array;
}

async function importKeyNow(
  format: string,
  data: BufferSource,
  algorithm: { name: string; hash?: HashName },
): Promise<HmacKey> {
  if (format !== 'raw' || algorithm.name !== 'HMAC' || !algorithm.hash) {
    throw new DOMException(
      `crypto.subtle.importKey: only raw HMAC keys are there on this phone, got ${format} ${algorithm.name}.`,
      'NotSupportedError',
    );
  }
  return { hash: nodeHash(algorithm.hash), bytes: toBytes(data).slice() };
}

async function signNow(_algorithm: unknown, key: HmacKey, data: BufferSource): Promise<ArrayBuffer> {
  return toArrayBuffer(createHmac(key.hash, key.bytes).update(toBytes(data)).digest());
}
