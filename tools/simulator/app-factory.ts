// Turns a bundled attempt into a factory: called once a launch, with that launch's globals.
import { pathToFileURL } from 'node:url';
import { GLOBAL_NAMES, type Globals } from './globals.ts';
import type { AppFactory } from './world.ts';

/** Compiles bundled code. Errors in it name `attempt.js`, and by its source map the learner's own lines. */
export function createFactory(code: string, name = 'attempt.js'): AppFactory {
  // A name that stands nowhere in the code is not asked for: most are made at first use.
  const names = GLOBAL_NAMES.filter((name) => code.includes(name));
  // Node reads the source map of evaluated code, and not that of `vm.compileFunction`. No line may come before the code.
  // biome-ignore lint/security/noGlobalEval: this is the place that runs the learner's code
  const make = globalThis.eval(
    `(function(${['module', 'exports', ...names].join()}){${code}\n})\n//# sourceURL=${pathToFileURL(name)}`,
  ) as (...args: unknown[]) => void;
  return (globals: Globals) => {
    const module: { exports: unknown } = { exports: {} };
    make(module, module.exports, ...names.map((name) => globals[name]));
    return module.exports;
  };
}
