import { expect, test } from 'vitest';
import { createServerRequest, readRequest } from './light-request.ts';

const URL_TEXT = 'https://api.example.test/things?a=1';

type Arguments = Parameters<typeof fetch>;

/** What the platform makes of the same arguments. */
async function realRequest(...[input, init]: Arguments) {
  const request = new Request(input, init);
  const headers = [...request.headers];
  return { method: request.method, url: request.url, headers, body: request.body && (await request.text()) };
}

async function lightRequest(...[input, init]: Arguments) {
  const { method, url, headers, body } = await readRequest(input, init);
  return { method, url, headers: [...headers], body };
}

const nameOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: Error) => error.name,
  );

test.each<[string, Arguments]>([
  ['an address alone', [URL_TEXT]],
  ['a URL', [new URL(URL_TEXT), { headers: [['X-Key', 'k']] }]],
  ['a text', [URL_TEXT, { method: 'post', body: '{"a":1}', headers: { 'Content-Type': 'application/json' } }]],
  ['a text without a type', [URL_TEXT, { method: 'PUT', body: 'größe' }]],
  ['a form', [URL_TEXT, { method: 'POST', body: new URLSearchParams({ a: '1' }) }]],
  ['an address to be put in order', ['HTTPS://API.example.test/a/../b c']],
])('reads %s as the platform does', async (_what, args) => {
  expect(await lightRequest(...args)).toEqual(await realRequest(...args));
});

test('reads bytes as the platform does, and tells them by number and hash', async () => {
  const body = new Uint8Array([255, 66]);
  const request = await readRequest(URL_TEXT, { method: 'PUT', body });
  const real = await realRequest(URL_TEXT, { method: 'PUT', body });
  body.fill(0);

  const { method, url, headers } = request;
  expect({ method, url, headers: [...headers] }).toEqual({ method: real.method, url: real.url, headers: real.headers });
  expect(request.body).toMatch(/^<2 bytes, sha256 [0-9a-f]{64}>$/);
  expect(new Uint8Array(await createServerRequest(request).arrayBuffer())).toEqual(new Uint8Array([255, 66]));
});

test('reads a Request, and what is changed in it', async () => {
  const make = (): Arguments => [new Request(URL_TEXT, { method: 'POST', body: 'x' }), { headers: { 'X-Key': 'k' } }];

  expect(await lightRequest(...make())).toEqual(await realRequest(...make()));
});

test.each<[string, Arguments]>([
  ['an address without a host', ['/things']],
  ['a body with GET', [URL_TEXT, { body: 'x' }]],
  ['a header that is none', [URL_TEXT, { headers: { 'a b': '1' } }]],
])('refuses %s as the platform does', async (_what, args) => {
  expect(await nameOf(lightRequest(...args))).toBe(await nameOf(realRequest(...args)));
});

// The platform puts only the old methods into upper case, and it refuses what is none.
test.each<[string, Arguments]>([
  ['purge', [URL_TEXT, { method: 'purge' }]],
  ['no method', [URL_TEXT, { method: 'no method' }]],
])('takes the method %s as the platform does', async (_name, args) => {
  const settle = (promise: Promise<{ method: string }>) =>
    promise.then(
      ({ method }) => method,
      (error: Error) => error.name,
    );

  expect(await settle(lightRequest(...args))).toBe(await settle(realRequest(...args)));
});

test('gives the backend a request that reads like a real one, again and again', async () => {
  const headers = new Headers({ 'content-type': 'application/json' });
  const request = createServerRequest({ method: 'POST', url: URL_TEXT, headers, body: '{"a":1}' });

  expect(request).toBeInstanceOf(Request);
  expect([request.method, request.url, request.headers.get('content-type')]).toEqual([
    'POST',
    URL_TEXT,
    'application/json',
  ]);
  expect([await request.text(), await request.clone().json(), (await request.arrayBuffer()).byteLength]).toEqual([
    '{"a":1}',
    { a: 1 },
    7,
  ]);
});
