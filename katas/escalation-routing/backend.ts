// The server of the kata: takes messages once per key, and keeps what providers and people report back.
import type { Context } from 'hono';
import { Hono } from 'hono/quick';
import type { Channel, Stage } from '#contract/escalation-routing';
import type { Backend, BackendContext } from '#simulator';

/** A message that has left the server. */
export interface SentMessage {
  readonly key: string;
  readonly alertId: string;
  readonly contactId: string;
  readonly channel: Channel;
  readonly stage: Stage;
  readonly text: string;
  /** By the server's clock, ms since 1970. */
  readonly atMs: number;
}

/** What became of a message: what the provider reported, or the person's acknowledgement. */
export interface AlertEvent {
  /** Within the alert, from 1. */
  readonly seq: number;
  readonly contactId: string;
  readonly channel: Channel;
  readonly stage: Stage;
  readonly kind: 'delivered' | 'failed' | 'acked';
  readonly at: string;
}

/** A request as it arrived, and how it was answered. */
export interface LoggedRequest {
  readonly key: string | null;
  readonly message: Omit<SentMessage, 'key' | 'atMs'> | null;
  readonly atMs: number;
  readonly status: number;
}

type Place = Pick<SentMessage, 'contactId' | 'channel' | 'stage'>;

export interface EscalationBackend extends Backend {
  /** The server's clock when it was made, and now: ms since 1970. */
  readonly startMs: number;
  nowMs(): number;
  /** Every message that left, in order. */
  readonly sent: readonly SentMessage[];
  /** Every `POST /sends` that arrived, in order. */
  readonly requests: readonly LoggedRequest[];
  sentFor(alertId: string): readonly SentMessage[];
  eventsOf(alertId: string): readonly AlertEvent[];
  /** The person acknowledges the last message they got for the alert; false when they got none. */
  acknowledge(alertId: string, contactId: string): boolean;
  /** The same at a later time, without a push: the server tells when it is next asked. */
  acknowledgeAt(alertId: string, contactId: string, atMs: number): void;
  /** The provider reports on a message. */
  report(alertId: string, kind: 'delivered' | 'failed', place: Place): void;
  /** From now on every message to this address is refused with 422. */
  breakAddress(contactId: string, channel: Channel): void;
  /** Answers the next `POST /sends` 429 with `Retry-After`. */
  throttleNext(seconds: number): void;
}

const CHANNELS: readonly unknown[] = ['push', 'sms', 'voice', 'email'];
const STAGES: readonly unknown[] = [0, 1, 2, 3];

export function createBackend(context: BackendContext): EscalationBackend {
  const sent: SentMessage[] = [];
  const byAlert = new Map<string, SentMessage[]>();
  const requests: LoggedRequest[] = [];
  const idsByKey = new Map<string, { message: string; sendId: string }>();
  const events = new Map<string, AlertEvent[]>();
  const broken = new Set<string>();
  const throttles: number[] = [];
  let promised: { alertId: string; contactId: string; atMs: number }[] = [];

  const sentFor = (alertId: string) => byAlert.get(alertId) ?? [];
  const eventsOf = (alertId: string) => events.get(alertId) ?? [];

  function append(alertId: string, kind: AlertEvent['kind'], { contactId, channel, stage }: Place): void {
    const before = eventsOf(alertId);
    const at = new Date(context.nowMs()).toISOString();
    events.set(alertId, [...before, { seq: before.length + 1, contactId, channel, stage, kind, at }]);
    context.record(kind, { alertId, contactId, channel, stage });
  }

  function tell(alertId: string, kind: AlertEvent['kind'], place: Place): void {
    append(alertId, kind, place);
    context.push(0, { type: 'alert-events', alertId });
  }

  /** What people did in the meantime, as far as a message had reached them by then. */
  function catchUp(): void {
    const nowMs = context.nowMs();
    const isOver = ({ atMs }: { atMs: number }) => atMs <= nowMs;
    for (const { alertId, contactId, atMs } of promised.filter(isOver)) {
      const last = sentFor(alertId).findLast((message) => message.contactId === contactId && message.atMs <= atMs);
      if (last) append(alertId, 'acked', last);
    }
    promised = promised.filter((one) => !isOver(one));
  }

  function answer(key: string | null, message: LoggedRequest['message'], c: Context): Response {
    const seconds = throttles.shift();
    if (seconds !== undefined) return c.json({ message: 'too many' }, 429, { 'Retry-After': `${seconds}` });
    if (!key) return c.json({ message: 'Idempotency-Key is missing' }, 400);
    if (!message) return c.json({ message: 'body must be { alertId, contactId, channel, stage, text }' }, 400);
    const seen = idsByKey.get(key);
    const text = JSON.stringify(message);
    if (seen && seen.message !== text) return c.json({ message: 'this key belongs to another message' }, 409);
    if (seen) return c.json({ sendId: seen.sendId }, 202);
    if (broken.has(`${message.contactId} ${message.channel}`)) return c.json({ message: 'no such address' }, 422);
    const left = { key, ...message, atMs: context.nowMs() };
    sent.push(left);
    byAlert.set(message.alertId, [...sentFor(message.alertId), left]);
    const sendId = `send-${sent.length}`;
    idsByKey.set(key, { message: text, sendId });
    context.record('sent', JSON.parse(JSON.stringify(left)));
    return c.json({ sendId }, 202);
  }

  async function postSend(c: Context): Promise<Response> {
    catchUp();
    const key = c.req.header('Idempotency-Key') ?? null;
    const message = readMessage(await c.req.json().catch(() => null));
    const response = answer(key, message, c);
    requests.push({ key, message, atMs: context.nowMs(), status: response.status });
    return response;
  }

  function getEvents(c: Context): Response {
    catchUp();
    const after = Number(c.req.query('after') ?? 0);
    if (!Number.isInteger(after)) return c.json({ message: 'after must be a number' }, 400);
    return c.json({ events: eventsOf(c.req.param('id') ?? '').filter(({ seq }) => seq > after) });
  }

  const app = new Hono();
  app.post('/sends', postSend);
  app.get('/alerts/:id/events', getEvents);

  return {
    app,
    startMs: context.nowMs(),
    nowMs: context.nowMs,
    sent,
    requests,
    sentFor,
    eventsOf,
    acknowledge(alertId, contactId) {
      const last = sentFor(alertId).findLast((message) => message.contactId === contactId);
      if (last) tell(alertId, 'acked', last);
      return last !== undefined;
    },
    acknowledgeAt(alertId, contactId, atMs) {
      promised.push({ alertId, contactId, atMs });
    },
    report: tell,
    breakAddress(contactId, channel) {
      broken.add(`${contactId} ${channel}`);
    },
    throttleNext(seconds) {
      throttles.push(seconds);
    },
  };
}

function readMessage(body: unknown): LoggedRequest['message'] {
  if (typeof body !== 'object' || body === null) return null;
  const { alertId, contactId, channel, stage, text } = body as Record<string, unknown>;
  const isText = [alertId, contactId, text].every((value) => typeof value === 'string');
  if (!isText || !CHANNELS.includes(channel) || !STAGES.includes(stage)) return null;
  return { alertId, contactId, channel, stage, text } as LoggedRequest['message'];
}
