// The mutation score of a kata's reference under simulation and suite: `npm run mutation -- <slug>`.
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

const slug = process.argv[2] ?? '';
const root = findCourseRoot() ?? process.cwd();

async function main(): Promise<number> {
  const { reference, scenario } = kataPaths(root, slug);
  const { text, mutants } = await instrument(path.basename(reference), await readFile(reference, 'utf8').catch(usage));
  const target = await makeVariant(root, slug, 'mutants', `// @ts-nocheck\n${text}`);
  const survivors: Mutant[] = [];
  const runner = new SuiteRunner({ root, isReference: true });
  const simulation = new MutantSimulation({ type: 'load', root, scenario, reference, mutated: target.file });
  try {
    for (const [n, mutant] of mutants.entries()) {
      if (process.stderr.isTTY) process.stderr.write(`\r${n + 1} of ${mutants.length}, ${survivors.length} alive `);
      if (await simulation.kills(mutant.id, 'first')) continue;
      if (await diesInSuite(runner, target, text, mutant)) continue;
      if (!(await simulation.kills(mutant.id, 'rest'))) survivors.push(mutant);
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
  for (const { line, mutator, original, replacement } of survivors) {
    console.log(`  line ${line}: ${mutator}: ${oneLine(original)}  →  ${oneLine(replacement)}`);
  }
  return score >= LEAST_SCORE ? 0 : 1;
}

const oneLine = (text: string | undefined): string => (text ?? '').replace(/\s+/g, ' ').slice(0, 90);

process.exitCode = await main();
