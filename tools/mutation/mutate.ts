// The mutation score of a kata's reference under simulation and suite: `npm run mutation -- <slug> [which]`.
// `which` is the number of the first mutant to try, where a run was ended (default 1); or several, as 19,140,142:
// those that lived, after the suite has learnt more.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { findCourseRoot } from '../course/course-root.ts';
import { kataPaths } from '../course/kata-paths.ts';
import { keepFile } from '../course/keep-file.ts';
import { SuiteRunner } from '../grader/suite-runner.ts';
import { makeVariant } from '../grader/variants.ts';
import { HIT_LIMIT, instrument, type Mutant } from './instrument.ts';
import { MutantSimulation } from './mutant-simulation.ts';

const LEAST_SCORE = 0.9;
/** Half of all mutants hang somewhere: a little is enough to see that they do. */
const IMPATIENT = { testTimeoutMs: 1_500, silenceMs: 5_000, secondLookMs: 4_000, loopsMax: 1, restTimeoutsMax: 0 };

const slug = process.argv[2] ?? '';
const [first = 1, ...others] = (process.argv[3] ?? '').split(',').map((number) => Number(number) || 1);
const isWanted = (number: number): boolean =>
  others.length > 0 ? number === first || others.includes(number) : number >= first;
const root = findCourseRoot() ?? process.cwd();

async function main(): Promise<number> {
  const { reference, scenario } = kataPaths(root, slug);
  const { text, mutants: all } = await instrument(
    path.basename(reference),
    await readFile(reference, 'utf8').catch(usage),
  );
  const mutants = all.map((mutant, n) => ({ ...mutant, number: n + 1 })).filter(({ number }) => isWanted(number));
  const target = await makeVariant(root, slug, 'mutants', `// @ts-nocheck\n${text}`);
  const survivors: Mutant[] = [];
  const runner = new SuiteRunner({ root, isReference: true, ...IMPATIENT });
  const simulation = new MutantSimulation({ type: 'load', root, scenario, reference, mutated: target.file });
  try {
    for (const mutant of mutants) {
      if (process.stderr.isTTY) process.stderr.write(`\r${mutant.number} of ${all.length}, ${survivors.length} alive `);
      if (await simulation.kills(mutant.id, 'first')) continue;
      if (await diesInSuite(runner, target, text, mutant)) continue;
      if (await simulation.kills(mutant.id, 'rest')) continue;
      survivors.push(mutant);
      tellSurvivor(mutant, `${mutant.number} of ${all.length}`);
    }
  } finally {
    runner.stop();
    simulation.stop();
  }
  return tell(mutants, survivors);
}

function usage(): never {
  console.error('Which kata? For example: npm run mutation -- offline-queue');
  process.exit(64);
}

async function diesInSuite(
  runner: SuiteRunner,
  target: { file: string; suite: string },
  text: string,
  mutant: Mutant,
): Promise<boolean> {
  const chosen = `// @ts-nocheck\nglobalThis.__stryker__ = { activeMutant: '${mutant.id}', hitCount: 0, hitLimit: ${HIT_LIMIT} };\n`;
  await keepFile(target.file, chosen + moved(await readFile(target.file, 'utf8'), text));
  const { tests, hung, broken, unhandled } = await runner.run([target.suite], [target.file]);
  return hung.length + broken.length + unhandled.length > 0 || tests.some(({ state }) => state === 'failed');
}

/** The mutated file without the line that chose the last mutant. */
function moved(file: string, text: string): string {
  return file.replace(/^\/\/ @ts-nocheck\n(?:globalThis\.__stryker__.*\n)?/, '') || text;
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
function tellSurvivor({ line, mutator, original, replacement }: Mutant, place: string): void {
  if (process.stderr.isTTY) process.stderr.write('\r');
  console.log(`  ${place}, line ${line}: ${mutator}: ${oneLine(original)}  →  ${oneLine(replacement)}`);
}

const oneLine = (text: string | undefined): string => (text ?? '').replace(/\s+/g, ' ').slice(0, 90);

process.exitCode = await main();
