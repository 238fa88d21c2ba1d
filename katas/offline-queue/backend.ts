// The server of the kata: applies each mutation once and remembers the order.
import type { Context } from 'hono';
import { Hono } from 'hono/quick';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Backend, BackendContext } from '#simulator';

/** A mutation the server has carried out. */
export interface AppliedMutation {
  readonly key: string;
  readonly entityId: string;
  readonly kind: string;
  readonly payload: { readonly [name: string]: unknown };
  /** Of the entity, from 1. */
  readonly version: number;
}

/** A request as it arrived, and how it was answered. */
export interface LoggedRequest {
  readonly key: string | null;
  readonly entityId: string | null;
  readonly atMs: number;
  readonly status: number;
}

export interface QueueBackend extends Backend {
  /** Everything carried out, in order. */
  readonly applied: readonly AppliedMutation[];
  readonly requests: readonly LoggedRequest[];
  /** What was carried out on one entity, in order. */
  appliedTo(entityId: string): readonly AppliedMutation[];
  /** Every request is answered 401 until the session is renewed. */
  endSession(): void;
  renewSession(): void;
  /** Answers the next request 429 with `Retry-After`, as seconds or as an HTTP date. */
  throttleNext(seconds: number, form: 'seconds' | 'date'): void;
}

interface Mutation {
  readonly entityId: string;
  readonly kind: string;
  readonly payload: { readonly [name: string]: unknown };
}

interface Answer {
  readonly status: ContentfulStatusCode;
  readonly body: object;
  readonly headers?: Record<string, string>;
}

interface Throttle {
  readonly seconds: number;
  readonly form: 'seconds' | 'date';
}

const refusal = (status: ContentfulStatusCode, message: string): Answer => ({ status, body: { message } });

export function createBackend(context: BackendContext): QueueBackend {
  const applied: AppliedMutation[] = [];
  const requests: LoggedRequest[] = [];
  const byEntity = new Map<string, AppliedMutation[]>();
  const answersByKey = new Map<string, { request: string; answer: object }>();
  const throttles: Throttle[] = [];
  let isSessionValid = true;

  const appliedTo = (entityId: string) => byEntity.get(entityId) ?? [];

  function tooMany({ seconds, form }: Throttle): Answer {
    const until = new Date(context.nowMs() + seconds * 1000).toUTCString();
    return { ...refusal(429, 'too many requests'), headers: { 'Retry-After': form === 'date' ? until : `${seconds}` } };
  }

  function apply(key: string, mutation: Mutation): Answer {
    const history = appliedTo(mutation.entityId);
    const version = history.length + 1;
    const effect = { key, ...mutation, version };
    applied.push(effect);
    byEntity.set(mutation.entityId, [...history, effect]);
    const answer = { id: `change-${applied.length}`, version };
    answersByKey.set(key, { request: JSON.stringify(mutation), answer });
    context.record('applied', JSON.parse(JSON.stringify(effect)));
    return { status: 201, body: answer };
  }

  function answer(key: string | null, mutation: Mutation | null): Answer {
    const throttle = throttles.shift();
    if (throttle) return tooMany(throttle);
    if (!isSessionValid) return refusal(401, 'sign in again');
    if (!key) return refusal(400, 'Idempotency-Key is missing');
    if (!mutation) return refusal(400, 'body must be { entityId, kind, payload }');
    const seen = answersByKey.get(key);
    if (seen && seen.request !== JSON.stringify(mutation)) return refusal(422, 'this key belongs to another request');
    if (seen) return { status: 200, body: seen.answer };
    const { title, baseVersion } = mutation.payload;
    if (typeof title === 'string' && title.trim() === '') return refusal(422, 'title must not be empty');
    const current = appliedTo(mutation.entityId).length;
    if (baseVersion !== undefined && baseVersion !== current) {
      return refusal(409, `${mutation.entityId} is at version ${current}, not ${String(baseVersion)}`);
    }
    return apply(key, mutation);
  }

  async function postMutation(c: Context): Promise<Response> {
    const key = c.req.header('Idempotency-Key') ?? null;
    const mutation = readMutation(await c.req.json().catch(() => null));
    const { status, body, headers } = answer(key, mutation);
    requests.push({ key, entityId: mutation?.entityId ?? null, atMs: context.nowMs(), status });
    return c.json(body, status, { Date: new Date(context.nowMs()).toUTCString(), ...headers });
  }

  return {
    app: new Hono().post('/mutations', postMutation),
    applied,
    requests,
    appliedTo,
    endSession: () => {
      isSessionValid = false;
    },
    renewSession: () => {
      isSessionValid = true;
    },
    throttleNext: (seconds, form) => {
      throttles.push({ seconds, form });
    },
  };
}

function readMutation(body: unknown): Mutation | null {
  if (!isObject(body)) return null;
  const { entityId, kind, payload } = body;
  if (typeof entityId !== 'string' || typeof kind !== 'string' || !isObject(payload)) return null;
  return { entityId, kind, payload };
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
