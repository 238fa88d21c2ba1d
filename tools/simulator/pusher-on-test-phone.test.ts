// The same server and the same pusher-js as in the simulation, on the phone of the suites.
import { Hono } from 'hono';
import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createPhone, type TestPhone } from '../phone/testing/index.ts';
import type { PusherServer } from './pusher-api.ts';
import { createPusherServer } from './pusher-server.ts';
import type { PusherApp } from './testing/apps/pusher-app.ts';

const API = 'https://api.example.test';
const server = setupServer();
let phone: TestPhone;
let pusher: PusherServer;

beforeAll(() => server.listen({ onUnhandledFrame: 'error' }));
beforeEach(() => {
  phone = createPhone();
  pusher = createPusherServer({
    context: phone.backendContext,
    appKey: 'app-key',
    secret: 'app-secret',
    authorize: ({ context }) => context.req.header('authorization') !== 'nobody',
  });
  const app = new Hono();
  app.post('/pusher/auth', pusher.auth);
  server.use(http.all(`${API}/*`, async ({ request }) => (await app.fetch(request)) ?? HttpResponse.error()));
  phone.connectSockets(pusher.sockets);
});
afterEach(() => {
  phone.dispose();
  server.resetHandlers();
});
afterAll(() => server.close());

async function launch(): Promise<PusherApp> {
  const { createPusherApp } = await phone.coldStart(() => import('./testing/apps/pusher-app.ts'));
  const app = createPusherApp({ apiUrl: API, wsHost: 'ws.example.test', channel: 'private-news' });
  await phone.pass(100);
  return app;
}

const SUBSCRIBED = ['connected', 'pusher:subscription_succeeded {}'];

test('connects pusher-js, subscribes with auth and receives', async () => {
  const app = await launch();

  pusher.trigger('private-news', 'story', { title: 'one' });
  await phone.settle();

  expect(app.heard).toEqual([...SUBSCRIBED, 'story {"title":"one"}']);
  expect(phone.sockets[0]?.url).toBe(
    'wss://ws.example.test/app/app-key?protocol=7&client=js&version=8.6.0&flash=false',
  );
});

test('reconnects pusher-js after a break, with fresh auth', async () => {
  const app = await launch();

  await phone.sockets[0]?.drop();
  await phone.pass(2_000);

  expect(app.heard).toEqual([...SUBSCRIBED, 'connecting', ...SUBSCRIBED]);
  expect(phone.requests.map(({ body }) => body.split('&')[0])).toEqual([
    'socket_id=100001.48271',
    'socket_id=100002.96542',
  ]);
});

test('lets pusher-js find a dead line by its ping', async () => {
  const app = await launch();

  phone.sockets[0]?.goSilent();
  await phone.pass(149_000);
  const before = app.heard.length;
  await phone.pass(5_000);

  expect(before).toBe(2);
  expect(phone.sockets[0]?.sent.at(-1)?.text).toContain('pusher:ping');
  expect(app.heard.slice(2)).toEqual(['connecting', ...SUBSCRIBED]);
});

test('keeps a killed app from hearing anything, and tells the server of its end', async () => {
  const app = await launch();

  phone.kill();
  await phone.settle();
  pusher.trigger('private-news', 'story', { title: 'one' });
  await phone.pass(300_000);

  expect(app.heard).toEqual(SUBSCRIBED);
  expect(pusher.connections()).toEqual([]);
});
