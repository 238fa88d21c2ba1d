// The mutation score of a kata's reference under simulation and suite: `npm run mutation -- <slug> [which]`.
// `which` is the number of the first mutant to try, where a run was ended (default 1); or several, as 19,140,142:
// those that lived, after the suite has learnt more; or a sample, as 2/5: every fifth, from the second on.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import pLimit from 'p-limit';
import { findCourseRoot } from '../course/course-root.ts';
import { kataPaths } from '../course/kata-paths.ts';
import { keepFile } from '../course/keep-file.ts';
import { REFERENCE_MODULE, readReference, type SolutionFiles } from '../course/solution-files.ts';
import { SuiteRunner } from '../grader/suite-runner.ts';
import { suiteTitles } from '../grader/suite-titles.ts';
import type { Target } from '../grader/target.ts';
import { makeVariant } from '../grader/variants.ts';
import { bundle } from '../simulator/bundle.ts';
import { HIT_LIMIT, instrument, type Mutant } from './instrument.ts';
import { MutantSimulation } from './mutant-simulation.ts';

/** Says which mutant the suite meets. */
const CHOICE = 'active-mutant.ts';
const LEAST_SCORE = 0.9;
/** Half of all mutants hang somewhere: a little is enough to see that they do. */
const IMPATIENT = {
  testTimeoutMs: 1_500,
  silenceMs: 5_000,
  secondLookMs: 4_000,
  loopsMax: 1,
  restTimeoutsMax: 0,
  endsAtFailure: true,
};
/** Enough for the suite to be busy with one while the simulation is with another; few enough to be told in order. */
const MUTANTS_AT_ONCE = 3;
const LOOKS_MAX = 3;

const NO_MUTANT = { id: 'none' };

const slug = process.argv[2] ?? '';
const isWanted = wish(process.argv[3] ?? '1');
const root = findCourseRoot() ?? process.cwd();

async function main(): Promise<number> {
  const { reference, scenario } = kataPaths(root, slug);
  if (!existsSync(reference)) usage();
  const { files, mutants: all } = await instrument(await readReference(root, slug));
  const mutants = all.map((mutant, n) => ({ ...mutant, number: n + 1 })).filter(({ number }) => isWanted(number));
  const target = await makeVariant(root, slug, 'mutants', withChoice(files));
  const survivors: Mutant[] = [];
  const runner = new SuiteRunner({ root, isReference: true, ...IMPATIENT });
  // Bundled before the suite's first choice is written: the simulation makes its own.
  const mutated = await bundle(target.file, root);
  const simulation = new MutantSimulation({ type: 'load', root, scenario, reference, mutated });
  const [inSimulation, inSuite] = [pLimit(1), pLimit(1)];
  const isKilled = async (mutant: Pick<Mutant, 'id'>): Promise<boolean> =>
    (await inSimulation(() => simulation.kills(mutant.id, 'first'))) ||
    (await inSuite(() => diesInSuite(runner, target, mutant))) ||
    (await inSimulation(() => simulation.kills(mutant.id, 'rest')));
  const meet = async (mutant: (typeof mutants)[number]) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${mutant.number} of ${all.length}, ${survivors.length} alive `);
    if (await isKilled(mutant)) return;
    survivors.push(mutant);
    tellSurvivor(mutant, `${mutant.number} of ${all.length}`);
  };
  try {
    // Otherwise every mutant would count as killed.
    if (await isKilled(NO_MUTANT))
      throw new Error(`${slug}: the reference fails without any mutant. See kata verify ${slug}.`);
    await pLimit(MUTANTS_AT_ONCE).map(mutants, meet);
  } finally {
    runner.stop();
    simulation.stop();
  }
  return tell(mutants, survivors);
}

/** Which mutants are asked for, by number. */
function wish(which: string): (number: number) => boolean {
  const numbers = which.split(/[,/]/).map((number) => Number(number) || 1);
  const [first = 1, second = 1] = numbers;
  if (which.includes('/')) return (number) => number % second === first % second;
  return numbers.length > 1 ? (number) => numbers.includes(number) : (number) => number >= first;
}

function usage(): never {
  console.error('Which kata? For example: npm run mutation -- offline-queue');
  process.exit(64);
}

/** The mutated files with one more, which will choose a mutant: imported first, it runs before any of them. */
function withChoice(files: SolutionFiles): SolutionFiles {
  const first = `import './${CHOICE}';\n${files[REFERENCE_MODULE] ?? ''}`;
  return { ...files, [REFERENCE_MODULE]: first, [CHOICE]: 'export {};\n' };
}

async function diesInSuite(runner: SuiteRunner, { file, suite }: Target, { id }: Pick<Mutant, 'id'>): Promise<boolean> {
  const choice = path.join(path.dirname(file), CHOICE);
  const active = JSON.stringify({ activeMutant: id, hitCount: 0, hitLimit: HIT_LIMIT });
  await keepFile(choice, `Object.assign(globalThis, { __stryker__: ${active} });\n`);
  const titles = suiteTitles(await readFile(suite, 'utf8'));
  for (let looks = 1; ; looks += 1) {
    const { tests, hung, broken, unhandled } = await runner.run([suite], [choice]);
    if (hung.length + broken.length + unhandled.length > 0 || tests.some(({ state }) => state === 'failed'))
      return true;
    // The end of the run before, at its first failure, may reach into this one: what was left out tells nothing.
    const isWhole = tests.filter(({ state }) => state === 'passed').length >= titles.length;
    if (isWhole || looks === LOOKS_MAX) return false;
  }
}

function tell(mutants: readonly Mutant[], survivors: readonly Mutant[]): number {
  const score = 1 - survivors.length / Math.max(1, mutants.length);
  if (process.stderr.isTTY) process.stderr.write('\r');
  console.log(
    `${slug}: ${mutants.length - survivors.length} of ${mutants.length} mutants killed, ${(score * 100).toFixed(1)} %`,
  );
  return score >= LEAST_SCORE ? 0 : 1;
}

/** At once: a run takes minutes, and one that is ended has told what it knew. */
function tellSurvivor({ file, line, mutator, original, replacement }: Mutant, place: string): void {
  if (process.stderr.isTTY) process.stderr.write('\r');
  console.log(`  ${place}, ${file}:${line}: ${mutator}: ${oneLine(original)}  →  ${oneLine(replacement)}`);
}

const oneLine = (text: string | undefined): string => (text ?? '').replace(/\s+/g, ' ').slice(0, 90);

process.exitCode = await main();
