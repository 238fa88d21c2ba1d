import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ServerSocket } from '../server-socket.ts';
import { createPhone, type TestPhone } from './index.ts';

let phone: TestPhone;
let served: string[];
let server: ServerSocket | undefined;
beforeEach(() => {
  phone = createPhone();
  served = [];
  server = undefined;
  phone.connectSockets({
    connect({ url }, socket) {
      server = socket;
      served.push(`connect ${new URL(url).pathname}`);
      socket.onMessage((text) => served.push(`got ${text}`));
      socket.onClose((code) => served.push(`over ${code}`));
    },
  });
});
afterEach(() => phone.dispose());

/** A socket that notes what it hears. */
function open() {
  const socket = new WebSocket('wss://socket.example.test/live');
  const heard: string[] = [];
  for (const type of ['open', 'error'] as const) socket.addEventListener(type, () => heard.push(type));
  socket.onmessage = ({ data }) => heard.push(`got ${data}`);
  socket.onclose = ({ code, wasClean }) => heard.push(`close ${code} ${wasClean}`);
  return { socket, heard };
}

const BROKEN = ['error', 'close 1006 false'];

test('connects to the backend, carries frames in order, and closes cleanly', async () => {
  const { socket, heard } = open();
  await phone.settle();
  socket.send('one');
  socket.send('two');
  server?.send('three');
  server?.send('four');
  await phone.settle();

  socket.close(4000);
  await phone.settle();

  expect(served).toEqual(['connect /live', 'got one', 'got two', 'over 4000']);
  expect(heard).toEqual(['open', 'got three', 'got four', 'close 4000 true']);
  expect(phone.sockets[0]).toMatchObject({
    state: 'closed',
    closeCode: 4000,
    sent: [{ text: 'one' }, { text: 'two' }],
  });
});

test('hears the code by which the server closes', async () => {
  const { heard } = open();
  await phone.settle();

  server?.close(4200);
  await phone.settle();

  expect(heard).toEqual(['open', 'close 4200 true']);
  expect(served.at(-1)).toBe('over 4200');
});

test('breaks both sides when a test drops a socket, and when the server terminates', async () => {
  const first = open();
  await phone.settle();
  await phone.sockets[0]?.drop();
  const second = open();
  await phone.settle();
  server?.terminate();
  await phone.settle();

  expect([first.heard, second.heard]).toEqual([
    ['open', ...BROKEN],
    ['open', ...BROKEN],
  ]);
  expect(served.filter((line) => line === 'over 1006')).toHaveLength(2);
});

test.each(['goSilent', 'offline', 'cellular'])('leaves a socket half-open: %s', async (how) => {
  const { socket, heard } = open();
  await phone.settle();
  if (how === 'goSilent') phone.sockets[0]?.goSilent();
  if (how === 'offline') await phone.goOffline();
  await phone.goOnline(how === 'cellular' ? 'cellular' : 'wifi');

  socket.send('one');
  server?.send('two');
  await phone.pass(600_000);

  expect([heard, served, socket.readyState, socket.bufferedAmount]).toEqual([['open'], ['connect /live'], 1, 3]);
  expect(phone.sockets[0]?.sent).toEqual([{ text: 'one', atMs: 0 }]);
});

test('ends a half-open socket for the app when the app closes it', async () => {
  const { socket, heard } = open();
  await phone.settle();
  phone.sockets[0]?.goSilent();

  socket.close();
  await phone.settle();

  expect(heard).toEqual(['open', ...BROKEN]);
  expect(served).toEqual(['connect /live']);
});

test('refuses to connect offline, without a backend, and when told to', async () => {
  await phone.goOffline();
  const offline = open();
  await phone.settle();
  await phone.goOnline();
  phone.failNextConnect('refused');
  const refused = open();
  const accepted = open();
  await phone.settle();

  expect([offline.heard, refused.heard, accepted.heard]).toEqual([BROKEN, BROKEN, ['open']]);
});

test('leaves a connection hanging until the app gives it up', async () => {
  phone.failNextConnect('hang');
  const { socket, heard } = open();
  await phone.pass(600_000);
  const before = [...heard];

  socket.close();
  await phone.settle();

  expect([before, heard, served]).toEqual([[], BROKEN, []]);
});

test('gives the app what the test makes of a frame: none, two, or one kept back', async () => {
  const kept: string[] = [];
  phone.interceptFrames((text) => {
    if (text === 'kept') kept.push(text);
    return text === 'twice' ? [text, text] : text === 'last' ? [text, ...kept] : text === 'one' ? [text] : [];
  });
  const { heard } = open();
  await phone.settle();

  for (const text of ['one', 'lost', 'kept', 'twice', 'last']) server?.send(text);
  await phone.settle();

  expect(heard.slice(1)).toEqual(['got one', 'got twice', 'got twice', 'got last', 'got kept']);
});

test('keeps frames and the close for an app in the background until it is back', async () => {
  const { heard } = open();
  await phone.settle();
  await phone.goToBackground();

  server?.send('one');
  server?.close(4001);
  await phone.pass(5_000);
  const before = [...heard];
  await phone.goToForeground();

  expect([before, heard]).toEqual([['open'], ['open', 'got one', 'close 4001 true']]);
});

test('tells a killed app nothing, and the server of its end', async () => {
  const { socket, heard } = open();
  await phone.settle();

  phone.kill();
  server?.send('one');
  socket.send('two');
  await phone.settle();

  expect([heard, served, phone.sockets[0]?.state]).toEqual([['open'], ['connect /live', 'over 1006'], 'closed']);
});

test('runs the timers of the server whatever the app does', async () => {
  const { heard } = open();
  await phone.settle();
  phone.backendContext.after(1_000, () => server?.send('later'));
  const callOff = phone.backendContext.after(1_000, () => server?.send('never'));
  callOff();

  await phone.pass(2_000);

  expect(heard).toEqual(['open', 'got later']);
});

test('stamps events with the time of the test, and forgets sockets of the phone before', async () => {
  const stamps: number[] = [];
  await phone.pass(3_000);
  const { socket } = open();
  socket.addEventListener('open', ({ timeStamp }) => stamps.push(timeStamp));
  await phone.settle();

  expect(stamps).toEqual([3_000]);
  expect(createPhone().sockets).toEqual([]);
});
