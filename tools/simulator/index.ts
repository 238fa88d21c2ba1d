// `#simulator`: what a kata's author writes scenarios with.

export type { StoredEntry } from '../phone/disk.ts';
export { CACHE_URI, DOCUMENTS_URI, type FileRead, syntheticBytes } from '../phone/file-tree.ts';
export type { CipherCall } from '../phone/quick-crypto.ts';
export type { ServerSocket, SocketRequest, SocketServer } from '../phone/server-socket.ts';
export { atKind, type Look } from './at-kind.ts';
export { atSend } from './at-send.ts';
export { growsRarer, waitsForRetryAfter } from './pace.ts';
export type { Json } from './plan.ts';
export type { PusherClientEvent, PusherOptions, PusherServer, TriggerOptions } from './pusher-api.ts';
export { type PusherAuthRequest, type PusherDecision, signChannel } from './pusher-auth.ts';
export type { KeptEvent, PresenceMember } from './pusher-channel.ts';
export type { PusherConnection } from './pusher-connection.ts';
export { createPusherServer } from './pusher-server.ts';
export {
  bearerOf,
  type KnownPair,
  leavesWithFreshToken,
  oneRenewalAtATime,
  type Renewal,
  renewsWithReason,
} from './renewal.ts';
export {
  type Action,
  type Backend,
  type BackendContext,
  type Budget,
  defineAction,
  defineScenario,
  type Invariant,
  type OpenContext,
  type PhoneView,
  type RealtimeContext,
  type Scenario,
  type Stage,
  type WorldView,
} from './scenario.ts';
export type { Costs, FrameRecord, RequestRecord, SocketRecord, TraceEvent } from './trace.ts';
