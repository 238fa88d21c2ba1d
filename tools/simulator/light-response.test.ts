import { afterAll, beforeAll, expect, test } from 'vitest';
import { LightResponse, useLightResponses } from './light-response.ts';

const Real = globalThis.Response;
let undo: () => void;
beforeAll(() => {
  undo = useLightResponses();
});
afterAll(() => {
  undo();
});

type Init = ConstructorParameters<typeof Response>;

/** All that an app may look at, or the kind of error. */
async function looks(make: () => Response): Promise<unknown> {
  const tried = async (read: (response: Response) => unknown) => {
    try {
      return await read(make());
    } catch (error) {
      return (error as Error).name;
    }
  };
  return Promise.all([
    tried(({ status, statusText, ok, type, redirected, bodyUsed }) => [
      status,
      statusText,
      ok,
      type,
      redirected,
      bodyUsed,
    ]),
    tried(({ headers }) => [...headers]),
    tried((response) => response.text()),
    tried((response) => response.json()),
    tried(async (response) => [...new Uint8Array(await response.arrayBuffer())]),
    tried(async (response) => (await response.blob()).size),
    tried((response) => response.body === null),
    tried(async (response) => [await response.clone().text(), await response.text()]),
    tried(async (response) => [await response.text(), await response.text()]),
    tried(async (response) => [await response.text(), response.bodyUsed]),
    tried(async (response) => [await response.text(), await response.clone().text()]),
    tried(async (response) => [await response.arrayBuffer(), await response.text()]),
  ]);
}

test.each<[string, Init]>([
  ['text', ['{"ok":true}', { status: 201, statusText: 'Created', headers: { 'X-Key': 'k' } }]],
  ['text with a type', ['{"a":1}', { headers: { 'content-type': 'application/json' } }]],
  ['text that is no JSON', ['{"ok":', { status: 500 }]],
  ['an empty text', ['', { status: 404 }]],
  ['no body', [null, { status: 204 }]],
  ['nothing at all', []],
  ['bytes', [new TextEncoder().encode('größe'), { status: 200 }]],
  ['a form', [new URLSearchParams({ a: '1' })]],
  ['a body where none may be', ['x', { status: 204 }]],
  ['a status that is none', ['x', { status: 99 }]],
])('looks like the Response of the platform with %s', async (_what, init) => {
  const light = await looks(() => new LightResponse(...init) as unknown as Response);
  const real = await looks(() => new Real(...init));

  expect(light).toEqual(real);
});

test('makes JSON as the Response of the platform does', async () => {
  const light = await looks(() => LightResponse.json({ a: [1] }, { status: 202 }) as unknown as Response);
  const real = await looks(() => Real.json({ a: [1] }, { status: 202 }));

  expect(light).toEqual(real);
});

test('is an instance of both, and the global one until undone', () => {
  const global = globalThis.Response;
  const light = new LightResponse('x');

  expect(global).toBe(LightResponse);
  expect([light instanceof Real, light instanceof Response, Real.error() instanceof Real]).toEqual([true, true, true]);
});
