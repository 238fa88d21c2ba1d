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

export type Globals = Readonly<Partial<Record<(typeof GLOBAL_NAMES)[number], unknown>>>;

export function createGlobals(launch: Launch): Globals {
  const timers = {
    setTimeout: (callback: (...args: unknown[]) => void, delayMs?: number, ...args: unknown[]) =>
      launch.startTimer(() => callback(...args), atLeastOne(delayMs), null),
    clearTimeout: (id: number) => launch.stopTimer(id),
    setInterval: (callback: (...args: unknown[]) => void, everyMs?: number, ...args: unknown[]) =>
      launch.startTimer(() => callback(...args), atLeastOne(everyMs), atLeastOne(everyMs)),
    clearInterval: (id: number) => launch.stopTimer(id),
    setImmediate: (callback: (...args: unknown[]) => void, ...args: unknown[]) =>
      launch.startTimer(() => callback(...args), 0, null),
    clearImmediate: (id: number) => launch.stopTimer(id),
  };
  const platform = {
    ...timers,
    Date: dateOf(launch),
    Intl: intlOf(launch),
    Math: mathOf(launch),
    crypto: cryptoOf(launch),
    performance: performanceOf(launch),
    fetch: (input: RequestInfo | URL, init?: RequestInit) => launch.world.network.fetch(launch, input, init),
    AbortSignal: abortSignalOf(launch),
    console: consoleOf(launch),
    navigator: { product: 'ReactNative' },
    WebSocket: webSocketOf(launch),
  };
  const fake: Record<string, unknown> = { ...STANDARD, ...platform };
  for (const name of ['globalThis', 'self', 'global', 'window']) fake[name] = fake;
  return { ...platform, globalThis: fake, self: fake, global: fake, window: fake };
}

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
  const startedAtMs = launch.world.nowMs;
  return createWebSocket({
    open: (url, end) => launch.world.sockets.open(launch, url, end),
    elapsedMs: () => launch.world.nowMs - startedAtMs,
  });
}

/** Counts from the launch, and no jump of the phone's clock moves it. */
function performanceOf(launch: Launch) {
  const startedAtMs = launch.world.nowMs;
  return { now: () => launch.world.nowMs - startedAtMs, timeOrigin: launch.nowMs() };
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
    const timeZone = launch.phone.conditions.timeZone;
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
  const own = Object.create(Math) as Math;
  own.random = () => launch.random('Math.random');
  return own;
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
