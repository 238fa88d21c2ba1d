// Turns a bundled attempt into a factory: called once a launch, with that launch's globals.
import vm from 'node:vm';
import { GLOBAL_NAMES, type Globals } from './globals.ts';
import type { AppFactory } from './world.ts';

/** Compiles bundled code. Errors in it name `attempt.js`, and by its source map the learner's own lines. */
export function createFactory(code: string, name = 'attempt.js'): AppFactory {
  const make = vm.compileFunction(code, ['module', 'exports', ...GLOBAL_NAMES], { filename: name });
  return (globals: Globals) => {
    const module: { exports: unknown } = { exports: {} };
    make(module, module.exports, ...GLOBAL_NAMES.map((name) => globals[name]));
    return module.exports;
  };
}
