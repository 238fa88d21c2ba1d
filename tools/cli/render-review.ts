// A scored review round for a person: what was there, what was seen, what it does, and how it is meant.

import { isTest, solutionFolder } from '../course/solution-files.ts';
import { renderTextDiagram } from '../grader/render/text-diagram.ts';
import { type Story, story as storyShape } from '../grader/report.ts';
import type { AnswerKey, JudgedMistake, RoundResult, Session } from '../review/round.ts';
import { type Look, MARK, paint, type Style, wrap } from '../terminal/look.ts';
import { counted } from './words.ts';

/** Lines of the reference that a mistake stands in place of; null for an attempt. */
export type ReferenceLines = (mistake: JudgedMistake) => { readonly title: string; readonly code: string } | null;

/** The whole result as text. */
export function renderReview(look: Look, result: RoundResult, referenceLines: ReferenceLines): string {
  const { mistakes, falseAlarms, broken } = result;
  const found = mistakes.filter(({ isPlaceFound }) => isPlaceFound).length;
  const fixed = mistakes.filter(({ isFixed }) => isFixed).length;
  return [
    paint(look, 'bold', wrap(look, `${result.round}: ${result.score} of 100`)),
    wrap(
      look,
      `${counted(mistakes.length, 'mistake')}: ${found} found, ${fixed} mended; ${counted(falseAlarms.length, 'false alarm')}${broken.length === 0 ? '' : `, ${broken.length} broken by the fix`}. The bar is ${result.bar}.`,
    ),
    ...mistakes.map((mistake, n) => renderMistake(look, mistake, n, referenceLines(mistake))),
    ...falseAlarms.map(({ lines, criterion, consequence }) =>
      line(
        look,
        'yellow',
        MARK.warn,
        `false alarm at ${rangeWords([lines])}: ${consequence || criterion || 'no reason given'}`,
      ),
    ),
    ...broken.map(({ title, because }) =>
      line(look, 'red', MARK.fail, `your change broke another promise: ${title}. ${because}`),
    ),
  ].join('\n\n');
}

const line = (look: Look, style: Style, mark: string, text: string): string =>
  `${paint(look, style, mark)} ${wrap(look, text, { hang: 2 })}`;

function renderMistake(
  look: Look,
  mistake: JudgedMistake,
  n: number,
  reference: { readonly title: string; readonly code: string } | null,
): string {
  const { lines, title, criterion, criterionTitle, isFixed, isPlaceFound, isConsequenceNamed, because } = mistake;
  const where = lines.length === 0 ? '' : ` (${rangeWords(lines)} of given.ts)`;
  return [
    paint(look, 'bold', wrap(look, `Mistake ${n + 1}${where}: ${title}`)),
    ...(lines.length === 0 ? [] : [saw(look, isPlaceFound, 'the place')]),
    saw(look, isConsequenceNamed, `the promise it breaks: ${criterionTitle} (${criterion})`),
    ...mistake.said.map((words) => wrap(look, `your words: ${words}`, { indent: 2 })),
    line(
      look,
      isFixed ? 'green' : 'red',
      isFixed ? MARK.pass : MARK.fail,
      isFixed ? 'mended: the criterion holds' : `not mended${because === '' ? '' : `: ${because}`}`,
    ),
    ...renderShown(look, mistake),
    ...(reference === null
      ? []
      : [
          `\n${wrap(look, reference.title)}`,
          reference.code
            .split('\n')
            .map((text) => `  ${text}`)
            .join('\n'),
        ]),
  ].join('\n');
}

const saw = (look: Look, isSeen: boolean, what: string): string =>
  line(
    look,
    isSeen ? 'green' : 'red',
    isSeen ? MARK.pass : MARK.fail,
    `${isSeen ? 'you named' : 'not named:'} ${what}`,
  );

function renderShown(look: Look, { shown }: JudgedMistake): string[] {
  switch (shown.kind) {
    case 'story': {
      const read = storyShape.safeParse(shown.story);
      return read.success ? ['', ...storyLines(look, shown.invariant, read.data)] : [];
    }
    case 'test':
      return [
        `\n${wrap(look, `What shows it: the test "${shown.name}"`)}`,
        wrap(look, shown.message.split('\n', 1)[0] ?? '', { indent: 2 }),
      ];
    case 'none':
      return [];
  }
}

function storyLines(look: Look, invariant: string, story: Story): string[] {
  return [
    wrap(look, `What happens (${invariant}): ${story.headline}`),
    ...story.steps.map((step, n) => wrap(look, `${n + 1}. ${step}`, { indent: 2, hang: 5 })),
    '',
    renderTextDiagram(story, look),
  ];
}

/** What there is to find, without saying what it is. */
export function whatIsWrong(round: Session, { file, given, planted }: AnswerKey): string {
  const { source, kata } = round;
  const lines = `${given.trimEnd().split('\n').length} lines`;
  if (source.kind === 'attempt')
    return `your attempt ${source.attempt}, ${lines}, breaks ${counted(planted.length, 'criterion', 'criteria')}`;
  return `${solutionFolder(kata.slug)}/${file}, ${lines}, ${planted.length === 1 ? 'one mistake' : `${planted.length} mistakes`}`;
}

/** Where the code stands, for a file that is not the whole reference; nothing for one that is. */
export function amongOthers({ kata }: Session, { file, others }: AnswerKey): string {
  if (Object.keys(others).length === 0) return '';
  return ` It is ${solutionFolder(kata.slug)}/${file} with what is wrong in it; the other files of the reference are sound.`;
}

/** `lines 12-14 and 20`. */
export function rangeWords(lines: readonly { readonly from: number; readonly to: number }[]): string {
  const ranges = lines.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
  const isOne = lines.length === 1 && lines[0]?.from === lines[0]?.to;
  return `${isOne ? 'line' : 'lines'} ${ranges.join(' and ')}`;
}

/** A message about the copy that was graded, which is gone, as one about the file it was made of. */
export const asWritten = (reason: string, file: string, { file: reviewed }: Pick<AnswerKey, 'file'>): string =>
  reason.replaceAll(
    /\.kata\/variants\/([^/:\s]+)\/[^/:\s]+\/([^:\s]+\.ts)/g,
    (copy: string, slug: string, name: string) => {
      if (name === reviewed) return file;
      return isTest(name) ? copy : `${solutionFolder(slug)}/${name}`;
    },
  );
