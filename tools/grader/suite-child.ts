// A process of its own that runs suites in Vitest. It lives as long as its parent wants more runs.
import { writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import path from 'node:path';
import { createVitest, type Reporter, type TestCase, type TestModule, type Vitest } from 'vitest/node';
import type { RawError, RawTest, SuiteEvent, SuiteRequest, SuiteRun, SuiteStart } from './suite-messages.ts';

let vitest: Promise<Vitest> | undefined;
let start: SuiteStart | undefined;

process.on('message', (request: SuiteRequest) => {
  if (request.type === 'start') {
    start = request.start;
    vitest = open(request.start);
    vitest.then(ready, fail);
  } else {
    vitest?.then((opened) => run(opened, request.run)).catch(fail);
  }
});
process.on('disconnect', () => process.exit(0));

function say(event: SuiteEvent): void {
  process.send?.(event);
}

function ready(): void {
  say({ type: 'ready' });
  // Kept now: this process is ended without a warning.
  flushCompileCache();
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(70);
}

function open({
  root,
  isReference,
  progressFile,
  heapMb,
  isShared = false,
  endsAtFailure = false,
}: SuiteStart): Promise<Vitest> {
  const conditions = isReference ? ['reference'] : [];
  return createVitest(
    'test',
    {
      root,
      config: false,
      watch: false,
      reporters: [reporter],
      include: ['katas/*/suite.test.ts', '.kata/**/*.suite.test.ts'],
      exclude: ['**/node_modules/**'],
      strictTags: false,
      pool: 'forks',
      maxWorkers: 1,
      isolate: !isShared,
      bail: endsAtFailure ? 1 : 0,
      // An attempt may read, as its libraries must; it cannot write but for the name of the test that runs, nor start anything.
      execArgv: [
        '--permission',
        '--allow-fs-read=*',
        `--allow-fs-write=${path.dirname(progressFile)}`,
        `--max-old-space-size=${heapMb}`,
        '--no-warnings',
      ],
      env: { KATA_PROGRESS_FILE: progressFile },
      setupFiles: [path.join(import.meta.dirname, 'suite-setup.ts')],
      silent: true,
      cache: false,
    },
    {
      ssr: { resolve: { conditions: [...conditions, 'node', 'module', 'development|production'] } },
      // The parent says what has changed; watching files here would cost start-up time.
      server: { watch: null },
    },
  );
}

async function run(
  vitest: Vitest,
  { files, skip, only, onlyIn = {}, testTimeoutMs, changed }: SuiteRun,
): Promise<void> {
  if (start) writeFileSync(start.progressFile, '');
  for (const file of changed) vitest.invalidateFile(file);
  for (const project of vitest.projects) project.config.testTimeout = testTimeoutMs;
  if (skip.length + only.length > 0) vitest.setGlobalTestNamePattern(pattern(skip, only));
  else vitest.resetGlobalTestNamePattern();
  const project = vitest.getRootProject();
  await vitest.runTestSpecifications(
    files.map((file) => {
      const own = onlyIn[file];
      return project.createSpecification(file, own && { testNamePattern: pattern([], own) });
    }),
    true,
  );
}

function pattern(skip: readonly string[], only: readonly string[]): RegExp {
  const oneOf = (names: readonly string[]) =>
    names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  return only.length > 0 ? new RegExp(`^(?:${oneOf(only)})$`) : new RegExp(`^(?!(?:${oneOf(skip)})$)`);
}

const reporter: Reporter = {
  onTestCaseResult(test: TestCase) {
    say({ type: 'test', test: rawTest(test) });
  },
  onTestModuleEnd(module: TestModule) {
    const errors = module.errors();
    if (errors.length > 0) say({ type: 'broken', file: module.moduleId, errors: errors.map(rawError) });
  },
  onTestRunEnd(_modules, unhandled) {
    say({ type: 'end', unhandled: unhandled.map(rawError) });
  },
};

function rawTest(test: TestCase): RawTest {
  const result = test.result();
  return {
    file: test.module.moduleId,
    name: test.fullName,
    tags: test.tags,
    state: result.state,
    durationMs: Math.round(test.diagnostic()?.duration ?? 0),
    busyMs: busyMsOf(test.meta()),
    errors: (result.errors ?? []).map(rawError),
  };
}

/** As suite-setup.ts measured it. */
const busyMsOf = (meta: object): number | null =>
  'busyMs' in meta && typeof meta.busyMs === 'number' ? Math.round(meta.busyMs) : null;

interface ErrorLike {
  readonly name?: string;
  readonly message?: string;
  readonly stack?: string;
  readonly diff?: string;
  readonly VITEST_TEST_NAME?: string;
}

function rawError(error: ErrorLike): RawError {
  return {
    name: error.name ?? 'Error',
    message: error.message ?? String(error),
    stack: error.stack ?? '',
    diff: error.diff ?? '',
  };
}
