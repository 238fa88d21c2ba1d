import { once } from 'node:events';
import { EventSource } from 'eventsource';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeTinyCourse, type TinyCourse } from '../course/testing/tiny-course.ts';
import { EXIT } from './exit-code.ts';
import { runKata, spawnKata } from './testing/run-kata.ts';

const BACKEND = `export function createBackend({ nowMs, record }) {
  const app = {
    routes: [{ method: 'ALL', path: '/*' }, { method: 'PUT', path: '/notes/:id' }, { method: 'PUT', path: '/notes/:id' }],
    fetch: (request) => {
      record('noted', { text: 'milk' });
      return new Response(request.method + ' ' + (nowMs() > 1e12));
    },
  };
  return { app };
}
`;

let course: TinyCourse;
beforeEach(() => {
  course = makeTinyCourse();
  course.add('tiny');
  course.write('katas/tiny/backend.ts', BACKEND);
});
afterEach(() => course.remove());

/** Starts the server and waits for its address. */
async function served() {
  const child = spawnKata(course.root, ['serve', 'tiny']);
  let text = '';
  child.stdout.on('data', (data) => {
    text += data;
  });
  while (!text.includes('Ctrl-C stops it')) await once(child.stdout, 'data');
  const address = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0] ?? '';
  return { child, address, text: () => text };
}

test('serves the backend on localhost until Ctrl-C, and says each request', async () => {
  const { child, address, text } = await served();

  const answer = await fetch(`${address}/notes/7`, { method: 'PUT' });
  const body = await answer.text();
  child.kill('SIGINT');
  const [exitCode] = await once(child, 'close');

  expect(body).toBe('PUT true');
  expect(exitCode).toBe(EXIT.interrupted);
  expect(text()).toContain('  PUT /notes/:id\n\nTry it:\n');
  expect(text()).toContain(`curl -i -X PUT ${address}/notes/1 -H 'content-type: application/json' -d '{}'`);
  expect(text()).toMatch(/^ {2}noted {"text":"milk"}\nPUT \/notes\/7 200 \(\d+\.\d ms\)$/m);
});

test('ends with its own code after Ctrl-C while a file is being written', async () => {
  // As write-file-atomic does for as long as it writes: alone with a signal, that listener passes it on to the process.
  const listener = `import { onExit } from ${JSON.stringify(import.meta.resolve('signal-exit'))};\nonExit(() => {});\n`;
  course.write('katas/tiny/backend.ts', listener + BACKEND);
  const { child } = await served();

  child.kill('SIGINT');
  const [exitCode] = await once(child, 'close');

  expect(exitCode).toBe(EXIT.interrupted);
});

test('says that a port is in use', async () => {
  const { child, address } = await served();
  const port = new URL(address).port;

  const second = await runKata(course.root, ['serve', 'tiny', '--port', port]);
  child.kill('SIGINT');
  await once(child, 'close');

  expect(second.exitCode).toBe(EXIT.usage);
  expect(second.stderr).toContain(`Port ${port} is in use.`);
});

test('says what a backend must export', async () => {
  course.write('katas/tiny/backend.ts', 'export const x = 1;');

  const { stderr, exitCode } = await runKata(course.root, ['serve', 'tiny']);

  expect(exitCode).toBe(EXIT.fault);
  expect(stderr).toContain('katas/tiny/backend.ts exports no createBackend(context). Export it.');
});

const LIVE_BACKEND = `export function createBackend({ after }) {
  const app = {
    routes: [{ method: 'GET', path: '/ticks' }],
    fetch: () => new Response(
      new ReadableStream({
        start(controller) {
          const write = (text) => controller.enqueue(new TextEncoder().encode('data: ' + text + '\\n\\n'));
          write('now');
          after(20, () => write('later'));
        },
      }),
      { headers: { 'content-type': 'text/event-stream' } },
    ),
  };
  const sockets = {
    connect({ url, headers }, socket) {
      socket.send('hello ' + new URL(url).pathname + ' ' + headers.get('upgrade'));
      socket.onMessage((text) => {
        if (text === 'bye') socket.close(4200, 'as you wish');
        else after(10, () => socket.send('echo ' + text));
      });
    },
  };
  return { app, sockets };
}
`;

test('serves sockets and streams as well', async () => {
  course.write('katas/tiny/backend.ts', LIVE_BACKEND);
  const { child, address, text } = await served();

  const heard: unknown[] = [];
  const socket = new WebSocket(`${address.replace('http', 'ws')}/app/key`);
  socket.onmessage = ({ data }) => {
    heard.push(data);
    socket.send(heard.length === 1 ? 'one' : 'bye');
  };
  const [closed] = (await once(socket, 'close')) as [CloseEvent];
  const source = new EventSource(`${address}/ticks`);
  const events: unknown[] = [];
  await new Promise<void>((resolve) => {
    source.onmessage = ({ data }) => events.push(data) === 2 && resolve();
  });
  source.close();
  child.kill('SIGINT');
  await once(child, 'close');

  expect(heard).toEqual(['hello /app/key websocket', 'echo one']);
  expect([closed.code, closed.reason]).toEqual([4200, 'as you wish']);
  expect(events).toEqual(['now', 'later']);
  expect(text()).toContain(`  WebSockets at ${address.replace('http', 'ws')}`);
  expect(text()).toContain('socket /app/key opened\nsocket /app/key closed (4200)\n');
});
