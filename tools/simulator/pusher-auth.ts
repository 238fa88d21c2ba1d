// Who may subscribe: signatures, and the endpoint that gives them. Source: Pusher Channels, auth signatures.
import { createHmac } from 'node:crypto';
import type { Context } from 'hono';
import { remembered } from '../phone/remembered.ts';
import type { Json } from './plan.ts';
import type { PresenceMember } from './pusher-channel.ts';

/** `false`: 403. A member for `presence-` channels, who goes into `channel_data`. A `Response` is given as it is. */
export type PusherDecision = boolean | PresenceMember | Response;

export interface PusherAuthRequest {
  readonly socketId: string;
  readonly channel: string;
  /** The request itself: its headers, its query. Its body has been read. */
  readonly context: Context;
}

/** What signs. */
export interface PusherKeys {
  readonly appKey: string;
  readonly secret: string;
}

export const CHANNEL_NAME = /^[-\w=@,.;]{1,164}$/;
/** Channels that need a signature. */
export const isSecured = (channel: string): boolean => /^(?:private|presence)-/.test(channel);
export const json = (body: Json, status: number): Response => Response.json(body, { status });

/** `key:hex(HMAC-SHA256(secret, socket_id:channel[:channel_data]))`. Source: Pusher, auth signatures. */
export function signChannel(
  key: string,
  secret: string,
  socketId: string,
  channel: string,
  channelData?: string,
): string {
  const text = [socketId, channel, ...(channelData === undefined ? [] : [channelData])].join(':');
  return `${key}:${hmacOf(JSON.stringify([secret, text]))}`;
}

/** Of a secret and a text. Socket ids are counted, so that runs sign the same again and again. */
const hmacOf = remembered((secretAndText) => {
  const [secret, text] = JSON.parse(secretAndText) as [string, string];
  return createHmac('sha256', secret).update(text).digest('hex');
});

/** Answers `POST /pusher/auth` as the kata decides. */
export async function answerAuth(
  request: Context,
  { appKey, secret }: PusherKeys,
  authorize: ((request: PusherAuthRequest) => PusherDecision | Promise<PusherDecision>) | undefined,
): Promise<Response> {
  const form = new URLSearchParams(await request.req.text());
  const socketId = form.get('socket_id') ?? '';
  const channel = form.get('channel_name') ?? '';
  if (!/^\d+\.\d+$/.test(socketId) || !CHANNEL_NAME.test(channel)) {
    return json({ error: 'bad_request', message: 'socket_id and channel_name are needed, as form fields.' }, 400);
  }
  const decision = (await authorize?.({ socketId, channel, context: request })) ?? true;
  if (decision instanceof Response) return decision;
  if (decision === false) return json({ error: 'forbidden', message: `${channel} is not yours.` }, 403);
  if (decision === true) return json({ auth: signChannel(appKey, secret, socketId, channel) }, 200);
  const { userId, userInfo } = decision;
  const channelData = JSON.stringify({ user_id: userId, user_info: userInfo ?? null });
  return json({ auth: signChannel(appKey, secret, socketId, channel, channelData), channel_data: channelData }, 200);
}

/** The member that a presence channel's `channel_data` names; null when it names none. */
export function memberOf(channelData: string | undefined): PresenceMember | null {
  const data = parse(channelData ?? '');
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return null;
  const { user_id: userId, user_info: userInfo } = data;
  if (typeof userId !== 'string' && typeof userId !== 'number') return null;
  return { userId: String(userId), ...(userInfo === undefined ? {} : { userInfo }) };
}

/** The text fields of a frame's data, which may be an object or JSON text. */
export function fieldsOf(data: Json): { channel?: string; auth?: string; channel_data?: string } {
  const object = typeof data === 'string' ? parse(data) : data;
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return {};
  return Object.fromEntries(Object.entries(object).filter(([, value]) => typeof value === 'string'));
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}
