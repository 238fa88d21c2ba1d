// The server of the kata: a feed, best first, read page by page while people post, delete and vote.
import type { Context } from 'hono';
import { Hono } from 'hono/quick';
import type { Backend, BackendContext } from '#simulator';

/** A post as the feed gives it. */
export interface Post {
  /** `p-1`, `p-2`… in the order of posting. */
  readonly id: string;
  readonly title: string;
  readonly topic: string;
  /** The feed's sort key. Many posts share one. */
  readonly score: number;
  /** ISO text. Many posts share one. */
  readonly createdAt: string;
}

/** A request as it arrived, and what it was answered with. */
export interface LoggedRequest {
  readonly topic: string | null;
  readonly limit: number;
  readonly cursor: string | null;
  readonly status: number;
  /** Of the page; empty when there was none. */
  readonly ids: readonly string[];
}

export interface FeedBackend extends Backend {
  readonly requests: readonly LoggedRequest[];
  /** Every cursor there ever was, with the topic it was made for (null: the whole feed). */
  readonly issued: ReadonlyMap<string, string | null>;
  /** Posts of a topic that people may see, in the feed's order. Without a topic, of all. */
  feed(topic?: string | null): readonly Post[];
  /** Whether nobody has added, changed, moved or hidden this post since the server began. */
  isUntouched(id: string): boolean;
  /** Somebody posts. */
  post(draft: Pick<Post, 'topic' | 'score' | 'title'>): Post;
  /** Somebody deletes a post. */
  remove(id: string): void;
  /** People vote: the post moves. */
  move(id: string, score: number): void;
  /** Somebody edits a post: it stays where it is. */
  rename(id: string, title: string): void;
  /** Hides posts from this reader. They leave gaps: pages that are short, or empty. */
  hide(ids: readonly string[]): void;
  /** The server forgets its cursors, as after fifteen minutes: each of them is answered 410. */
  forgetCursors(): void;
  /** Answers the next requests with these statuses. */
  failNext(...statuses: (400 | 410 | 429 | 500 | 503)[]): void;
}

interface Place {
  readonly score: number;
  readonly serial: number;
}

interface Row extends Place {
  readonly post: Post;
}

interface Issued extends Place {
  readonly topic: string | null;
  expiresAtMs: number;
}

export const TOPICS = ['boats', 'camp & fire', 'trail+rail'] as const;
const CURSOR_LIVES_MS = 15 * 60_000;
const POSTS = 60;
/** A run of posts that this reader may not see: with small pages, some of them are empty. */
const HIDDEN = { from: 21, to: 32 };
const LIMIT_MAX = 50;

export function createBackend(context: BackendContext): FeedBackend {
  let rows: Row[] = [];
  let serial = 0;
  const hidden = new Set<string>();
  const touched = new Set<string>();
  const issued = new Map<string, Issued>();
  const topicOfCursor = new Map<string, string | null>();
  const requests: LoggedRequest[] = [];
  const failures: number[] = [];

  function write(draft: Pick<Post, 'topic' | 'score' | 'title'>): Row {
    serial += 1;
    const minute = String(Math.floor(serial / 4) % 60).padStart(2, '0');
    const post = { id: `p-${serial}`, ...draft, createdAt: `2026-03-01T18:${minute}:00.000Z` };
    return { serial, score: draft.score, post };
  }

  function place(...more: Row[]): void {
    rows = [...rows, ...more].sort(byPlace);
  }

  function take(id: string): Row | undefined {
    const row = rows.find(({ post }) => post.id === id);
    touched.add(id);
    rows = rows.filter((other) => other !== row);
    return row;
  }

  function seed(): void {
    // Nine posts in a row share a score, and every third is of the same topic.
    const first = Array.from({ length: POSTS }, (_, n) => {
      const topic = TOPICS[n % TOPICS.length] ?? TOPICS[0];
      return write({ topic, score: Math.floor(n / 9) * 10, title: `Report ${n + 1} on ${topic}` });
    });
    place(...first);
    for (const { post } of rows.slice(HIDDEN.from, HIDDEN.to)) hidden.add(post.id);
  }

  const feed = (topic: string | null = null) =>
    rows.filter(({ post }) => isOf(topic, post) && !hidden.has(post.id)).map(({ post }) => post);

  /** The cursor is a place behind a sort key and an id, so it outlives the post it was made from. */
  function issue({ score, serial }: Place, topic: string | null): string {
    const nowMs = context.nowMs();
    const text = `v3|${btoa(encodeURIComponent(JSON.stringify({ score, serial, topic, nowMs })))}&sig=${serial}+/%2B=#?`;
    issued.set(text, { score, serial, topic, expiresAtMs: nowMs + CURSOR_LIVES_MS });
    topicOfCursor.set(text, topic);
    return text;
  }

  function page(topic: string | null, behind: Place | null, limit: number) {
    const rest = rows.filter((row) => isOf(topic, row.post) && (!behind || byPlace(behind, row) < 0));
    const scanned = rest.slice(0, limit);
    const last = scanned.at(-1);
    const nextCursor = last && rest.length > scanned.length ? issue(last, topic) : null;
    return { items: scanned.filter(({ post }) => !hidden.has(post.id)).map(({ post }) => post), nextCursor };
  }

  function answer(topic: string | null, cursor: string | null, limit: number) {
    const failure = failures.shift();
    if (failure !== undefined) return refusal(failure, FAILURE_WORDS[failure] ?? 'unavailable');
    if (cursor === null) return { status: 200, body: page(topic, null, limit) };
    const place = issued.get(cursor);
    if (!place || place.topic !== topic) return refusal(400, 'invalid_cursor');
    if (place.expiresAtMs <= context.nowMs()) return refusal(410, 'cursor_expired');
    return { status: 200, body: page(topic, place, limit) };
  }

  function getPosts(c: Context): Response {
    const topic = c.req.query('topic') ?? null;
    const cursor = c.req.query('cursor') ?? null;
    const limit = Math.min(LIMIT_MAX, Math.max(1, Math.floor(Number(c.req.query('limit'))) || 20));
    const { status, body } = answer(topic, cursor, limit);
    const ids = 'items' in body ? body.items.map(({ id }) => id) : [];
    requests.push({ topic, limit, cursor, status, ids });
    return Response.json(body, { status });
  }

  seed();
  return {
    app: new Hono().get('/posts', getPosts),
    requests,
    issued: topicOfCursor,
    feed,
    isUntouched: (id) => !touched.has(id),
    post(draft) {
      const row = write(draft);
      const { post } = row;
      place(row);
      touched.add(post.id);
      context.record('posted', { id: post.id, topic: post.topic, score: post.score });
      return post;
    },
    remove(id) {
      take(id);
      context.record('deleted', { id });
    },
    move(id, score) {
      const row = take(id);
      if (row) place({ ...row, score, post: { ...row.post, score } });
      context.record('moved', { id, score });
    },
    rename(id, title) {
      const row = take(id);
      if (row) place({ ...row, post: { ...row.post, title } });
      context.record('renamed', { id, title });
    },
    hide(ids) {
      for (const id of ids) {
        hidden.add(id);
        touched.add(id);
      }
      context.record('hidden', { ids: [...ids] });
    },
    forgetCursors() {
      for (const one of issued.values()) one.expiresAtMs = 0;
      context.record('cursors expired', { count: issued.size });
    },
    failNext: (...statuses) => {
      failures.push(...statuses);
    },
  };
}

const FAILURE_WORDS: Readonly<Record<number, string>> = { 400: 'bad_request', 410: 'cursor_expired', 429: 'too_many' };

const refusal = (status: number, error: string) => ({ status, body: { error } });

const isOf = (topic: string | null, post: Post): boolean => topic === null || post.topic === topic;

/** Best first: the higher score, then the newer post. */
const byPlace = (a: Place, b: Place): number => b.score - a.score || b.serial - a.serial;
