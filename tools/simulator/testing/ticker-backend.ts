// A server with one stream: the numbers from 1, one every so often, each with its number as id; it resumes after any.
import { Hono } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { RealtimeContext } from '../scenario.ts';

export interface TickerBackend {
  readonly app: Hono;
  /** `Last-Event-ID` of every request for the stream; null without one. */
  readonly asked: (string | null)[];
  /** Streams that are open for the server. */
  readonly open: Set<SSEStreamingApi>;
  /** Ends every stream as a server does that wants its readers to come again. */
  closeAll(): Promise<void>;
}

export function createTickerBackend({ after }: Pick<RealtimeContext, 'after'>, everyMs = 1_000): TickerBackend {
  const asked: (string | null)[] = [];
  const open = new Set<SSEStreamingApi>();
  const app = new Hono();

  function tick(stream: SSEStreamingApi, n: number): void {
    after(everyMs, () => {
      if (!open.has(stream)) return;
      void stream.writeSSE({ data: `tick ${n}`, id: String(n) });
      tick(stream, n + 1);
    });
  }

  app.get('/ticks', (context) => {
    const last = context.req.header('last-event-id') ?? null;
    asked.push(last);
    return streamSSE(context, (stream) => {
      open.add(stream);
      tick(stream, Number(last ?? 0) + 1);
      return new Promise((resolve) => {
        stream.onAbort(() => {
          open.delete(stream);
          resolve();
        });
      });
    });
  });

  async function closeAll(): Promise<void> {
    const streams = [...open];
    open.clear();
    for (const stream of streams) await stream.close();
  }
  return { app, asked, open, closeAll };
}
