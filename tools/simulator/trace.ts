// The record of one run: every event with its virtual time.
import type { Json } from './plan.ts';

/** One request as the network saw it. Filled in as it goes. */
export interface RequestRecord {
  readonly id: number;
  readonly phone: number;
  readonly launch: number;
  /** Method and route pattern, such as `POST /mutations`. */
  readonly endpoint: string;
  /** The how-manieth request of this phone to this endpoint, from 1. */
  readonly nth: number;
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Text; of bytes, their number and SHA-256: `<65536 bytes, sha256 9f86d0…>`. */
  readonly body: string | null;
  /** A body of bytes. Not to be changed. */
  readonly bytes?: Uint8Array;
  readonly sentAtMs: number;
  /** Whether the phone said it was online when the request left. */
  readonly sentOnline: boolean;
  arrivedAtMs: number | null;
  endedAtMs: number | null;
  /** What the app saw: a status, or why there was none. Null while it is out. */
  outcome: { kind: 'answered'; status: number } | { kind: 'failed' | 'aborted' | 'killed' } | null;
  /** What the answer's `Retry-After` asked for, in ms from then; null without one. */
  retryAfterMs: number | null;
}

/** One WebSocket as the network saw it. Filled in as it goes. */
export interface SocketRecord {
  readonly id: number;
  readonly phone: number;
  readonly launch: number;
  /** The how-manieth socket of this phone, from 1. */
  readonly nth: number;
  readonly url: string;
  readonly startedAtMs: number;
  /** Whether the phone said it was online when the app asked for the socket. */
  readonly startedOnline: boolean;
  /** As the app knows it. A killed app's socket is closed. */
  state: 'connecting' | 'open' | 'closing' | 'closed';
  /** Whether nothing passes any more, though neither side has been told. */
  isHalfOpen: boolean;
  openedAtMs: number | null;
  closedAtMs: number | null;
  /** What the app heard at its end; null before, and when it was killed. */
  closeCode: number | null;
}

/** One frame of a WebSocket, or one chunk of a streamed answer. */
export interface FrameRecord {
  readonly id: number;
  readonly phone: number;
  /** `socket.receive`, `socket.send` or `stream.receive`: what its faults are planned for. */
  readonly target: 'socket.receive' | 'socket.send' | 'stream.receive';
  /** The how-manieth of this phone on this target, from 1. */
  readonly nth: number;
  /** What carries it: a socket, or the request whose answer streams. */
  readonly carrier: SocketRecord | RequestRecord;
  readonly text: string;
  readonly sentAtMs: number;
  /** When it first arrived at the other side; null while it is under way, and for ever if it is lost. */
  arrivedAtMs: number | null;
}

interface At {
  /** Virtual time since the run began, in ms. */
  readonly atMs: number;
  readonly phone: number;
}

/** What befell a phone's disk, keychain or screen. */
export type DeviceCondition =
  | 'reinstalled'
  | 'enrolled'
  | 'keychain-lost'
  | 'locked'
  | 'unlocked'
  | 'disk-full'
  | 'disk-free'
  | 'cache-cleared';

export type TraceEvent = At &
  (
    | { readonly kind: 'launch'; readonly launch: number }
    | { readonly kind: 'kill'; readonly launch: number; readonly during: string }
    | {
        readonly kind: 'condition';
        readonly condition:
          | 'online'
          | 'offline'
          | 'wifi'
          | 'mobile-data'
          | 'foreground'
          | 'background'
          | 'healed'
          | DeviceCondition;
      }
    | { readonly kind: 'clock'; readonly byMs: number }
    /** A slot of the plan was reached. */
    | { readonly kind: 'step'; readonly slot: number }
    | { readonly kind: 'action'; readonly id: number; readonly label: string }
    | { readonly kind: 'settled'; readonly id: number; readonly label: string; readonly error: string | null }
    | {
        readonly kind: 'storage';
        readonly call: string;
        readonly detail: string;
        readonly phase: 'applied' | 'torn' | 'failed' | 'acked';
      }
    | {
        readonly kind: 'request';
        readonly phase: 'sent' | 'lost' | 'arrived' | 'answered' | 'answer-lost' | 'received' | 'failed' | 'aborted';
        readonly request: RequestRecord;
        readonly note: string;
      }
    /** `accepted` and `ended` are the server's, all others the app's. */
    | {
        readonly kind: 'socket';
        readonly phase: 'connecting' | 'accepted' | 'opened' | 'half-open' | 'closing' | 'closed' | 'ended';
        readonly socket: SocketRecord;
        readonly note: string;
      }
    | {
        readonly kind: 'frame';
        readonly phase: 'sent' | 'lost' | 'arrived';
        readonly frame: FrameRecord;
        readonly note: string;
      }
    /** A streamed answer after its headers. `closed` by the app, `ended` for the server. */
    | {
        readonly kind: 'stream';
        readonly phase: 'half-open' | 'broken' | 'finished' | 'closed' | 'ended';
        readonly request: RequestRecord;
        readonly note: string;
      }
    /** Something the backend did that people would care about: its own word for it. */
    | { readonly kind: 'effect'; readonly label: string; readonly data: Json }
    /** The app's state as its subscribers saw it change, by the scenario's view. */
    | { readonly kind: 'state'; readonly view: Json }
    | { readonly kind: 'fault'; readonly fault: string; readonly target: string; readonly nth: number }
    | { readonly kind: 'log'; readonly level: string; readonly text: string }
    /** A push that reached a running app. */
    | { readonly kind: 'push'; readonly data: Json }
    | { readonly kind: 'rejection'; readonly text: string }
    | { readonly kind: 'violation'; readonly invariant: string; readonly text: string }
  );

/** What a run cost, for budgets. Sums over all phones. */
export interface Costs {
  requests: number;
  bytesSent: number;
  bytesReceived: number;
  storageWrites: number;
  storageReads: number;
  storageBytes: number;
  /** Writes to and reads from the keychain. */
  secureWrites: number;
  secureReads: number;
  /** Times the person was asked for a face or finger. */
  prompts: number;
  /** Times a database made something durable: a transaction, or a statement outside one. */
  databaseCommits: number;
  timerWakeups: number;
  /** Timers that fired while the phone was offline and nothing else had happened. */
  offlineWakeups: number;
  offlineMs: number;
  stateChanges: number;
  /** WebSockets that the app asked for. */
  socketsOpened: number;
  /** Frames that left the app. Their bytes are in `bytesSent`. */
  framesSent: number;
  /** Frames and streamed chunks that reached the app. Their bytes are in `bytesReceived`. */
  framesReceived: number;
}
