import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from '../simulator/bundle.ts';
import { runShared } from './shared-simulation.ts';
import { Simulation, type SimulationOutcome } from './simulation.ts';
import type { SimulationCode } from './simulation-messages.ts';
import { makeTallyCourse, type TallyCourse } from './testing/tally-course.ts';
import { TALLY_REFERENCE } from './testing/tally-files.ts';

const PATIENCE_MS = 60_000;
const JOB = { type: 'campaign', seed: 1, schedules: 120, saved: [], shrinkRunsMax: 20 } as const;
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

async function shareAmong(count: number, code: SimulationCode): Promise<SimulationOutcome> {
  const children = Array.from({ length: count }, () => new Simulation(course.root, 'tally'));
  return runShared(children, { code, job: JOB }).finally(() => {
    for (const child of children) child.stop();
  });
}

function resultOf(outcome: SimulationOutcome) {
  if (outcome.kind !== 'done' || outcome.answer.type !== 'campaign') throw new Error(`It ended with ${outcome.kind}.`);
  return outcome.answer.result;
}

test(
  'finds the same as one child does',
  async () => {
    const code = await codeOf(FORGETFUL);

    const [alone, shared] = [resultOf(await shareAmong(1, code)), resultOf(await shareAmong(2, code))];

    // Sums of fractions depend on their order.
    expect(shared).toEqual({ ...alone, virtualMs: expect.closeTo(alone.virtualMs) });
    expect(alone).toMatchObject({ schedules: 120, loadError: null, nondeterministic: null });
    expect(alone.violations.map(({ invariant }) => invariant)).toContain('kept');
  },
  PATIENCE_MS,
);

test(
  'says why an app cannot be opened',
  async () => {
    const code = await codeOf(`throw new Error('boom');\n${TALLY_REFERENCE}`);

    expect(resultOf(await shareAmong(2, code))).toMatchObject({
      schedules: 0,
      violations: [],
      loadError: { stage: 'import', text: 'Error: boom' },
    });
  },
  PATIENCE_MS,
);

test(
  'ends with the first part that has no end',
  async () => {
    const exit = `(() => {}).constructor('return process')().exit(0);`;
    const code = await codeOf(TALLY_REFERENCE.replace('let total = 0;', `let total = 0; ${exit}`));

    expect(await shareAmong(2, code)).toMatchObject({ kind: 'crashed', path: 'plain:0' });
  },
  PATIENCE_MS,
);
