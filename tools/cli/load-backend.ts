// Loads a kata's backend outside any simulation: its clock is the machine's.
import { pathToFileURL } from 'node:url';
import type { Hono } from 'hono';
import type { Kata } from '../course/catalogue.ts';
import type { SocketServer } from '../phone/server-socket.ts';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-code.ts';

export interface ServedBackend {
  readonly app: Hono;
  /** Such as `POST /mutations`, each once. */
  readonly routes: readonly string[];
  /** Accepts WebSockets; null when the kata has none. */
  readonly sockets: SocketServer | null;
}

/** Makes the backend by `createBackend` of the kata's backend.ts. `record` is told of effects people care about. */
export async function loadBackend(kata: Kata, record: (label: string, data: unknown) => void): Promise<ServedBackend> {
  const loaded: { createBackend?: unknown } = await import(pathToFileURL(kata.paths.backend).href);
  const { createBackend } = loaded;
  if (typeof createBackend !== 'function') {
    throw new CommandError(`katas/${kata.slug}/backend.ts exports no createBackend(context). Export it.`, EXIT.fault);
  }
  const { app, sockets = null }: { app: Hono; sockets?: SocketServer | null } = createBackend({
    nowMs: () => Date.now(),
    record,
    push: (_phone: number, data: unknown) => record('push', data),
    after(delayMs: number, run: () => void) {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
  });
  const routes = app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`);
  return { app, routes: [...new Set(routes)], sockets };
}

/** A first request to try, as a line for the shell. */
export function curlExample(address: string, routes: readonly string[]): string | null {
  const [method, path] = routes[0]?.split(' ') ?? [];
  if (method === undefined || path === undefined) return null;
  const url = address + path.replaceAll(/:\w+(\{[^}]*\})?\??/g, '1').replaceAll('*', '');
  if (method === 'GET') return `curl -i ${url}`;
  const body = method === 'DELETE' ? '' : ` -H 'content-type: application/json' -d '{}'`;
  return `curl -i -X ${method} ${url}${body}`;
}
