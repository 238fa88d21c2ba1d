// The process in which Vitest runs suites; what it does there is in suite-child.ts.
import os from 'node:os';
import path from 'node:path';
import type { SuiteEvent, SuiteRequest } from './suite-messages.ts';
import { SupervisedChild } from './supervise.ts';

/** Node's own place for it: Vitest is compiled once a machine, not once a run. */
const COMPILE_CACHE = path.join(os.tmpdir(), 'node-compile-cache');

export type SuiteProcess = SupervisedChild<SuiteRequest, SuiteEvent>;

/** Starts it, in the course's folder. */
export const startSuiteProcess = (root: string): SuiteProcess =>
  new SupervisedChild({
    module: path.join(import.meta.dirname, 'suite-child.ts'),
    cwd: root,
    execArgv: ['--no-warnings'],
    env: {
      TZ: 'UTC',
      NODE_ENV: 'test',
      VITEST: 'true',
      NO_COLOR: '1',
      FORCE_COLOR: '0',
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? COMPILE_CACHE,
    },
  });
