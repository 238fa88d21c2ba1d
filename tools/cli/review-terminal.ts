// A review round with a person at the terminal: one key, no Enter.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Kata } from '../course/catalogue.ts';
import { CourseError } from '../course/course-problem.ts';
import { keepFile } from '../course/keep-file.ts';
import { loadRubric } from '../course/load-rubric.ts';
import type { Criterion } from '../course/schema.ts';
import { type Finding, readFindings, withFinding } from '../review/findings.ts';
import type { AnswerKey, Session } from '../review/round.ts';
import { roundFiles } from '../review/store.ts';
import { wrap } from '../terminal/look.ts';
import { askLine } from './ask-line.ts';
import { CommandError } from './command-error.ts';
import type { CommandContext } from './context.ts';
import { EXIT } from './exit-code.ts';
import { listenToKeys } from './keys.ts';
import { numberLines } from './number-lines.ts';
import { openInEditor, page } from './open-with.ts';
import { amongOthers, rangeWords, whatIsWrong } from './render-review.ts';

const MENU = '[r]ead  [f]inding  [l]ist  [e]dit the code  [d]one  [q]uit';

/** Goes on until the round is scored or the person leaves. All is kept at once. Gives the exit code. */
export async function reviewAtTerminal(
  context: CommandContext,
  kata: Kata,
  round: Session,
  key: AnswerKey,
  finish: () => Promise<number>,
): Promise<number> {
  const { print, look, paint } = context.output;
  const { criteria } = await loadRubric(context.root, kata.slug);
  const files = roundFiles(round.id);
  print(wrap(look, paint('bold', `${round.id}: ${whatIsWrong(round, key)}`)));
  print(wrap(look, `Files: ${files.given}, ${files.findings}, ${files.code}`));
  const where = amongOthers(round, key).trim();
  if (where !== '') print(wrap(look, where));
  const does: Readonly<Record<string, () => Promise<void>>> = {
    r: () => read(context, key),
    f: () => note(context, files.findings, key, criteria),
    l: () => list(context, files.findings, key, criteria),
    e: () => openInEditor(path.join(context.root, files.code)),
  };
  let isWarned = false;
  for (;;) {
    print(`\n${wrap(look, MENU)}`);
    const pressed = await oneKey([...Object.keys(does), 'd', 'q']);
    if (pressed === 'd' && !isWarned && (await isUntouched(context, round, key))) {
      isWarned = true;
      print(wrap(look, 'Nothing is noted, and the code is as given. To end the round all the same, press d again.'));
      continue;
    }
    if (pressed === 'q') {
      print(wrap(look, `All is kept. Go on with: npx kata review ${kata.slug}`));
      return EXIT.ok;
    }
    try {
      if (pressed === 'd') return await finish();
      await does[pressed]?.();
    } catch (error) {
      if (!(error instanceof CommandError || error instanceof CourseError)) throw error;
      context.output.warn(error.message);
    }
  }
}

/** Whether a round would be scored for nothing: a key pressed by accident ends none. */
async function isUntouched({ root }: CommandContext, { id }: Session, { given }: AnswerKey): Promise<boolean> {
  const files = roundFiles(id);
  const [findings, code] = await Promise.all(
    [files.findings, files.code].map((file) => readFile(path.join(root, file), 'utf8').catch(() => '')),
  );
  return code === given && /^findings: *\[ *\] *$/m.test(findings ?? '');
}

function oneKey(known: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const keys = listenToKeys((pressed) => {
      if (!known.includes(pressed)) return;
      keys.close();
      resolve(pressed);
    });
  });
}

async function read({ output }: CommandContext, { given }: AnswerKey): Promise<void> {
  const text = numberLines(given);
  if (!(await page(`${text}\n`))) output.print(text);
}

async function note(
  context: CommandContext,
  file: string,
  { given }: AnswerKey,
  criteria: readonly Criterion[],
): Promise<void> {
  const findingOf = (written: object): Finding | undefined =>
    readFindings(JSON.stringify({ findings: [written] }), 'The finding', criteria, given.trimEnd().split('\n').length)
      .findings[0];
  const lines = await askLine('Line, or lines such as 12-14');
  if (lines.isLeft || lines.text === '') return;
  // Refused at once, not after two more questions.
  findingOf({ lines: lines.text });
  const criterion = await askCriterion(criteria);
  if (criterion === null) return;
  const consequence = await askLine('What does it do to a user?');
  const promise = criterion === '' ? {} : { criterion };
  const finding = findingOf({ lines: lines.text, ...promise, consequence: consequence.text });
  if (finding) await add(context, file, finding);
}

async function add({ root, output }: CommandContext, file: string, finding: Finding): Promise<void> {
  const full = path.join(root, file);
  await keepFile(full, withFinding(await readFile(full, 'utf8'), file, finding));
  output.print(wrap(output.look, `Kept in ${file}.`));
}

/** A criterion's id, an empty text for none of them, null when the person has left. */
async function askCriterion(criteria: readonly Criterion[]): Promise<string | null> {
  const { default: prompts } = await import('prompts');
  const { id } = await prompts({
    type: 'autocomplete',
    name: 'id',
    message: 'Which promise breaks? Type a part of it, or choose by arrows',
    choices: [
      ...criteria.map((criterion) => ({ title: criterion.title, value: criterion.id })),
      { title: 'none of these: in my own words', value: '' },
    ],
    suggest: async (typed: string, choices) => matching(typed, choices),
  });
  return typeof id === 'string' ? id : null;
}

/** Choices that hold what was typed; all of them when none does: Enter on an empty list would lose the finding. */
function matching<T extends { readonly title: string }>(typed: string, choices: readonly T[]): T[] {
  const found = choices.filter(({ title }) => title.toLowerCase().includes(typed.trim().toLowerCase()));
  return found.length === 0 ? [...choices] : found;
}

async function list(
  { root, output }: CommandContext,
  file: string,
  { given }: AnswerKey,
  criteria: readonly Criterion[],
): Promise<void> {
  const text = await readFile(path.join(root, file), 'utf8');
  const { findings } = readFindings(text, file, criteria, given.trimEnd().split('\n').length);
  if (findings.length === 0) output.print('Nothing is noted yet.');
  for (const { lines, criterion, consequence } of findings)
    output.print(
      wrap(output.look, `· ${rangeWords([lines])}: ${[criterion, consequence].filter(Boolean).join('; ')}`, {
        hang: 2,
      }),
    );
}
