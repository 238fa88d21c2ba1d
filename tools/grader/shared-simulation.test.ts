import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from '../simulator/bundle.ts';
import { SharedSimulation } from './shared-simulation.ts';
import { Simulation, type SimulationOutcome } from './simulation.ts';
import type { SimulationCode } from './simulation-messages.ts';
import { makeTallyCourse, type TallyCourse } from './testing/tally-course.ts';
import { TALLY_REFERENCE } from './testing/tally-files.ts';

const PATIENCE_MS = 60_000;
const JOB = { type: 'campaign', seed: 1, schedules: 400, saved: [], shrinkRunsMax: 20 } as const;
const FORGETFUL = TALLY_REFERENCE.replace("await device.asyncStorage.setItem('total', String(mine));", '');

let course: TallyCourse;
let reference: string;
beforeAll(async () => {
  course = makeTallyCourse();
  reference = await bundleText(TALLY_REFERENCE);
});
afterAll(() => course.remove());

async function bundleText(text: string): Promise<string> {
  course.write('katas/tally/attempt.ts', text);
  return bundle(path.join(course.root, 'katas/tally/attempt.ts'), course.root);
}

const codeOf = async (text: string): Promise<SimulationCode> => ({
  attempt: await bundleText(text),
  reference,
  isReference: false,
});

/** By one child, or by two from the first moment on. */
async function share(code: SimulationCode, isJoined: boolean): Promise<SimulationOutcome> {
  const simulation = new SharedSimulation(course.root, 'tally', 0);
  if (isJoined) simulation.join();
  return simulation.run({ code, job: JOB }).finally(() => simulation.stop());
}

function resultOf(outcome: SimulationOutcome) {
  if (outcome.kind !== 'done' || outcome.answer.type !== 'campaign') throw new Error(`It ended with ${outcome.kind}.`);
  return outcome.answer.result;
}

test(
  'finds out the same whether one child does it all or a second joins in',
  async () => {
    const code = await codeOf(FORGETFUL);

    const [alone, joined] = [resultOf(await share(code, false)), resultOf(await share(code, true))];

    expect(joined).toEqual(alone);
    expect(alone).toMatchObject({ schedules: 400, loadError: null, nondeterministic: null });
    expect(alone.violations.map(({ invariant }) => invariant)).toContain('kept');
  },
  PATIENCE_MS,
);

test(
  'finds what a simulation that is not shared finds',
  async () => {
    const code = await codeOf(FORGETFUL);
    const single = new Simulation(course.root, 'tally');

    const whole = resultOf(await single.run({ code, job: JOB }));

    const { virtualMs, budgets: _, ...rest } = whole;
    expect(resultOf(await share(code, true))).toMatchObject({ ...rest, virtualMs: expect.closeTo(virtualMs) });
  },
  PATIENCE_MS,
);

test(
  'says why an app cannot be opened',
  async () => {
    const code = await codeOf(`throw new Error('boom');\n${TALLY_REFERENCE}`);

    expect(resultOf(await share(code, true))).toMatchObject({
      schedules: 0,
      violations: [],
      loadError: { stage: 'import', text: 'Error: boom' },
    });
  },
  PATIENCE_MS,
);

test(
  'ends with the first part that does not end',
  async () => {
    const exit = `(() => {}).constructor('return process')().exit(0);`;
    const code = await codeOf(TALLY_REFERENCE.replace('let total = 0;', `let total = 0; ${exit}`));

    expect(await share(code, true)).toMatchObject({ kind: 'crashed', path: 'plain:0' });
  },
  PATIENCE_MS,
);
