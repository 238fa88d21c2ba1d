import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { Hono } from 'hono';
import { codeOf } from '../../course/keep-file.ts';
import { wrap } from '../../terminal/look.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { curlExample, loadBackend } from '../load-backend.ts';
import { serveSockets } from '../serve-sockets.ts';

const HOST = '127.0.0.1';
type Fetch = (request: Request) => Response | Promise<Response>;

/** Puts the kata's backend on localhost until Ctrl-C. Its state is gone afterwards. */
export const run: RunCommand<{ port?: number }> = async (context, [slug = ''], { port = 0 }) => {
  const { output } = context;
  const kata = await context.kata(slug);
  const { app, routes, sockets } = await loadBackend(kata, (label, data) =>
    output.print(`  ${label} ${JSON.stringify(data)}`),
  );
  const { server, address } = await listen(logged(app, context), port);
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  const endSockets = sockets && serveSockets(server as Server, sockets, (line) => output.print(line));
  const stop = () => {
    endSockets?.();
    server.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
    return closed;
  };
  context.onInterrupt(stop);
  process.once('SIGTERM', stop);

  output.print(wrap(output.look, `The backend of ${slug} is at ${output.paint('cyan', address)}`));
  for (const route of routes) output.print(`  ${route}`);
  if (sockets) output.print(`  WebSockets at ${address.replace('http:', 'ws:')}`);
  const example = curlExample(address, routes);
  if (example !== null) output.print(`\nTry it:\n  ${example}`);
  output.print(`\n${wrap(output.look, 'It forgets everything when it stops. Ctrl-C stops it.')}\n`);
  await closed;
  return EXIT.ok;
};

/** Says each request and its answer, as it is given. */
function logged(app: Hono, { output }: CommandContext): Fetch {
  return async (request) => {
    const startedAt = performance.now();
    const response = await app.fetch(request);
    const { pathname, search } = new URL(request.url);
    const tookMs = (performance.now() - startedAt).toFixed(1);
    output.print(`${request.method} ${pathname}${search} ${response.status} (${tookMs} ms)`);
    return response;
  };
}

function listen(fetch: Fetch, port: number) {
  return new Promise<{ server: ReturnType<typeof serve>; address: string }>((resolve, reject) => {
    const server = serve({ fetch, port, hostname: HOST }, (info: AddressInfo) =>
      resolve({ server, address: `http://${HOST}:${info.port}` }),
    );
    server.once('error', (error) => reject(codeOf(error) === 'EADDRINUSE' ? portTaken(port) : error));
  });
}

const portTaken = (port: number): CommandError =>
  new CommandError(`Port ${port} is in use. Choose another one with --port, or leave it out for a free one.`);
