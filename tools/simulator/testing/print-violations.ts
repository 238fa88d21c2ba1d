// Run by a test in a process of its own: throws where no code can catch it, and prints which invariants that broke.
import { catchRejections, runPlan } from '../run.ts';
import { createPlan, createProbe, type ProbeLaunch } from './probe.ts';

function fail(): never {
  throw new Error('oh');
}

const THROWS: Record<string, (launch: ProbeLaunch) => void> = {
  microtask: () => queueMicrotask(fail),
  'signal-listener': ({ platform }) => {
    const controller = new AbortController();
    controller.signal.addEventListener('abort', fail);
    platform.setTimeout(() => controller.abort(), 5);
  },
};

const release = catchRejections();
const { scenario } = createProbe((launch) => {
  if (launch.launch === 1) THROWS[process.argv[2] ?? '']?.(launch);
  return undefined;
});
const { violations } = await runPlan(scenario, (globals) => globals, createPlan());
release();
console.log(violations.map(({ invariant, text }) => `${invariant}: ${text}`).join('\n'));
