import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFactory } from './app-factory.ts';
import { BundleError, bundle } from './bundle.ts';
import type { Globals } from './globals.ts';
import { runPlan } from './run.ts';
import { API_URL, createPlan, createProbe } from './testing/probe.ts';

const APPS = join(import.meta.dirname, 'testing/apps');
const NO_GLOBALS: Globals = {};

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bundle-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Bundles text as a learner's file. */
async function bundleText(text: string, name = 'attempt.ts'): Promise<string> {
  await writeFile(join(folder, name), text);
  return bundle(join(folder, name), folder);
}

const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof BundleError ? error.message : `not a BundleError: ${error}`),
  );

test.each(['redux-app.ts', 'zustand-app.ts'])('bundles %s, with fresh module state at each call', async (name) => {
  const factory = createFactory(await bundle(join(APPS, name), APPS));

  const first = factory({ Math }) as { add(): number };
  const second = factory({ Math }) as { add(): number };

  expect([first.add(), first.add(), second.add()]).toEqual([1, 2, 1]);
});

test('bundles query-core, which retries in virtual time on the simulated network', async () => {
  const factory = createFactory(await bundle(join(APPS, 'query-app.ts'), APPS));
  const seen: string[] = [];
  const { scenario } = createProbe(({ platform, launch }) => {
    const app = factory(platform as Globals) as { load(apiUrl: string): Promise<string> };
    if (launch === 1) void app.load(API_URL).then((text) => seen.push(text));
    return undefined;
  });
  const target = 'GET /things/:id';
  const faults = [1, 2].map((nth) => ({ target, nth, kind: 'answer-503' }));

  const result = await runPlan(scenario, (globals) => globals, createPlan({ faults }));

  const sentAtMs = result.trace.flatMap((event) =>
    event.kind === 'request' && event.phase === 'sent' ? [event.atMs] : [],
  );
  expect(seen).toEqual(['{"ok":true,"count":1}']);
  expect(sentAtMs).toHaveLength(3);
  expect((sentAtMs[2] ?? 0) - (sentAtMs[1] ?? 0)).toBeGreaterThan(2_000);
});

test('takes what TypeScript has at run time: enums, parameter properties, namespaces', async () => {
  const code = await bundleText(`
    enum Colour { Red = 'red', Green = 'green' }
    class Point { constructor(readonly x: number, private y = 2) {} sum() { return this.x + this.y; } }
    namespace Deep { export const value = 3; }
    export const seen = [Colour.Green, new Point(1).sum(), Deep.value];
  `);

  const { seen } = createFactory(code)(NO_GLOBALS) as { seen: unknown[] };

  expect(seen).toEqual(['green', 3, 3]);
});

test('lets an app have names of its own that the platform has as well', async () => {
  const factory = createFactory(await bundle(join(APPS, 'own-names-app.ts'), APPS));

  const { names } = factory(NO_GLOBALS) as { names: unknown[] };

  expect(names).toEqual(['mine', 7, 'mine', 'undefined', 'undefined']);
});

test.each(['node:fs', 'fs', 'node:crypto', 'child_process', 'fs/promises'])(
  'refuses to import %s, with file and line',
  async (name) => {
    const message = await messageOf(
      bundleText(`export const a = 1;\nimport { x } from '${name}';\nexport const b = x;\n`),
    );

    expect(message).toContain(`attempt.ts:2:19: "${name}" is a module of Node, and a phone has none.`);
    expect(message).toContain("Use the platform's globals or what `device` brings.");
    expect(message).toContain(`import { x } from '${name}';`);
  },
);

test('refuses a module of Node however it is asked for', async () => {
  const required = await messageOf(bundleText(`export const fs = require('node:fs');`));
  const dynamic = await messageOf(bundleText(`export const fs = import('node:fs');`));
  const deep = await messageOf(
    writeFile(join(folder, 'deep.ts'), `export * from 'node:os';`).then(() => bundleText(`export * from './deep.ts';`)),
  );

  expect([required, dynamic].map((message) => message.slice(0, 22))).toEqual([
    'attempt.ts:1:27: "node',
    'attempt.ts:1:26: "node',
  ]);
  expect(deep).toMatch(/^deep\.ts:1:15: "node:os" is a module of Node/);
});

test('names file, line and column of a syntax error', async () => {
  const message = await messageOf(bundleText('export const a = 1;\nexport const b = ;\n'));

  expect(message).toBe('attempt.ts:2:18: Unexpected ";"\n    export const b = ;');
});

test('names file and line of an import that is not there', async () => {
  const message = await messageOf(bundleText(`import { x } from './nowhere.ts';\nexport const b = x;\n`));

  expect(message).toMatch(/^attempt\.ts:1:19: Could not resolve "\.\/nowhere\.ts"/);
});

test('says so when the file itself is not there', async () => {
  const message = await messageOf(bundle(join(folder, 'none.ts'), folder));

  expect(message).toContain('none.ts');
});

test('names at most five errors', async () => {
  const lines = Array.from({ length: 8 }, (_, n) => `import './missing-${n}.ts';`);

  const message = await messageOf(bundleText(lines.join('\n')));

  expect(message.match(/Could not resolve/g)).toHaveLength(5);
});

test('runs in strict mode, with nothing of Node free', async () => {
  const code = await bundleText(`
    export const seen = [
      (function () { return typeof this; })(),
      typeof process, typeof require, typeof Buffer, typeof setTimeout, typeof globalThis,
    ];
  `);

  const { seen } = createFactory(code)(NO_GLOBALS) as { seen: unknown[] };

  expect(seen).toEqual(Array.from({ length: 6 }, () => 'undefined'));
});

test('rejects an import whose name is known only at run time', async () => {
  const code = await bundleText(`const name = ['node', 'fs'].join(':'); export const load = () => import(name);`);

  const { load } = createFactory(code)(NO_GLOBALS) as { load(): Promise<unknown> };

  await expect(load()).rejects.toThrow();
});

test('is given the condition of production, as an app in a store', async () => {
  const code = await bundleText(`export const mode = process.env.NODE_ENV;`);

  const { mode } = createFactory(code)(NO_GLOBALS) as { mode: string };

  expect(mode).toBe('production');
});

test('names a file, a line and a column in the stack of an error', async () => {
  const stack = await stackInNode();

  expect(stack).toMatch(/^Error: here\n\s+at .*fail \(.*attempt\.[jt]s:\d+:\d+\)/);
});

// Node reads the inline source map of an evaluated script, and not that of `vm.compileFunction`.
test("names the learner's own line in the stack of an error, with source maps on", async () => {
  const stack = await stackInNode();

  expect(stack).toMatch(/attempt\.ts:6:9/);
});

const execFileNow = promisify(execFile);

let stack: Promise<string> | undefined;

/** The stack of an error as Node prints it: the test runner has a map of its own. */
function stackInNode(): Promise<string> {
  stack ??= stackOfAThrow();
  return stack;
}

async function stackOfAThrow(): Promise<string> {
  const file = join(folder, 'attempt.ts');
  await writeFile(
    file,
    'export interface Gone {\n  a: 1;\n}\n\nexport function fail(): never {\n  throw new Error("here");\n}\n',
  );
  const script = join(import.meta.dirname, 'testing/print-stack.ts');
  const { stdout } = await execFileNow(process.execPath, ['--enable-source-maps', script, file]);
  return stdout;
}

test('brings EventSource into an attempt that names it, by either name, and into no other', async () => {
  const without = await bundleText('export const x = 1;');
  const free = await bundleText('export const x = () => new EventSource("https://a.test");');
  const global = await bundleText('export const x = () => new globalThis.EventSource("https://a.test");');

  expect([without, free, global].map((code) => code.includes('EventSourceImpl'))).toEqual([false, true, true]);
});

test('says how to make an attempt that another builds on', async () => {
  const text = `import { createSession } from '#attempt/token-refresh';\nexport const x = createSession;`;

  const message = await messageOf(bundleText(text));

  expect(message).toContain('attempt.ts:1:31: There is no attempt at token-refresh yet.');
  expect(message).toContain('npx kata start token-refresh');
});
