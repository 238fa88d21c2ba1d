import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkKata } from '../course/check-course.ts';
import { kataFiles } from '../course/kata-paths.ts';
import { makeTinyCourse, type TinyCourse } from '../course/testing/tiny-course.ts';
import { EXIT } from './exit-code.ts';
import { callKata } from './testing/call-kata.ts';
import { runKata } from './testing/run-kata.ts';

const PROJECT = join(import.meta.dirname, '..', '..');

let course: TinyCourse;
beforeEach(() => {
  course = makeTinyCourse();
});
afterEach(() => course.remove());

const BUILT_IN = ['settles', 'no-unhandled-rejection', 'bounded', 'silent-after-dispose'];

test('writes every file of a kata whose content is whole', async () => {
  const { exitCode, stdout } = await runKata(course.root, ['new', 'photo-upload']);

  const suite = readFileSync(join(course.root, kataFiles('photo-upload').suite), 'utf8');
  const tests = [...suite.matchAll(/^test\('(.*)', \{ tags: \[(.*)\] \}/gm)];
  const problems = await checkKata(course.root, 'photo-upload', {
    tests: tests.map(([, name = '', tags = '']) => ({ name, tags: tags.replaceAll("'", '').split(', ') })),
    invariants: ['delivers', 'keeps', 'silent-offline', ...BUILT_IN].map((id) => ({ id, spec: [] })),
    budgets: [{ id: 'requests', spec: [] }],
    routes: ['PUT /note'],
    mistakes: [],
  });
  expect(exitCode).toBe(EXIT.ok);
  expect(stdout).toContain('npx kata verify photo-upload');
  expect(tests).toHaveLength(7);
  expect(problems).toEqual([]);
});

test('writes code that type-checks, its suite green on the reference and red on the stub', {
  timeout: 60_000,
}, async () => {
  await callKata(course.root, ['new', 'photo-upload']);
  for (const file of ['package.json', 'tsconfig.json', 'vitest.config.ts'])
    copyFileSync(join(PROJECT, file), join(course.root, file));
  for (const folder of ['node_modules', 'tools']) symlinkSync(join(PROJECT, folder), join(course.root, folder));
  await callKata(course.root, ['start', 'photo-upload']);

  const tsconfig = { extends: './tsconfig.json', include: ['katas', 'solutions'] };
  course.write('tsconfig.katas.json', JSON.stringify(tsconfig));
  const types = await run('typescript/bin/tsc', ['-p', 'tsconfig.katas.json', '--customConditions', 'reference']);
  const reference = await run('vitest/vitest.mjs', ['run', '--project', 'katas', '--mode', 'reference'], {});
  const stub = await run('vitest/vitest.mjs', ['run', '--project', 'katas']);

  expect(types).toBe('');
  expect(reference).toMatch(/Tests +7 passed \(7\)/);
  expect(stub).toMatch(/Tests +7 failed \(7\)/);
});

async function run(tool: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const file = join(PROJECT, 'node_modules', tool);
  const options = { cwd: course.root, env: { ...process.env, NO_COLOR: '1', ...env } };
  return promisify(execFile)(process.execPath, [file, ...args], options).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );
}

test('refuses a name that is taken, even by one file, and writes nothing', async () => {
  course.write('specs/photo-upload.md', 'mine');

  const { exitCode, stderr } = await callKata(course.root, ['new', 'photo-upload']);

  expect(exitCode).toBe(EXIT.usage);
  expect(stderr).toContain('The name photo-upload is taken: specs/photo-upload.md exists.');
  expect(existsSync(join(course.root, 'katas/photo-upload'))).toBe(false);
});

test.each(['Photo', 'photo upload', '../photo', '1photo'])('refuses the name %s', async (name) => {
  const { exitCode, stderr } = await callKata(course.root, ['new', name]);

  expect(exitCode).toBe(EXIT.usage);
  expect(stderr).toContain(`${name} cannot be a kata's name.`);
});
