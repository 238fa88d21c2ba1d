// A session's result as Markdown: to read, and to share.
import { sayDuration } from './clock.ts';
import type { Scorecard, ScoreLine } from './scorecard.ts';

/** What each level speaks for, in words. */
export const LEVEL_WORDS: Readonly<Record<Scorecard['level'], string>> = {
  'not-yet': 'not yet',
  mid: 'mid',
  senior: 'senior',
  staff: 'staff',
};
export const SCORE_WORDS = ['below', 'partial', 'meets', 'exceeds'] as const;

/** The scorecard as Markdown, with a line end at its end. Without the model answers: those are in beside.md. */
export function scorecardMarkdown(card: Scorecard): string {
  const blocks = [
    `# Mock interview: ${card.kata.title}`,
    sayLevel(card),
    ...sayMissing(card),
    '## Scores',
    ...card.scores.flatMap(scoreBlock),
    ...ownScores(card),
    '## What to work on',
    sayWork(card),
    '## How the time went',
    card.phases.map(sayPhase).join('\n'),
    '## Asked',
    sayAsked(card),
    ...sayCurveballs(card),
    ...sayGrade(card),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function sayLevel({ level, pattern, startedAt, minutes, mode, judgedBy, finishedAt }: Scorecard): string {
  const judge = judgedBy === 'interviewer' ? 'scored by the interviewer' : 'scored by the candidate';
  const how = mode === 'alone' ? 'alone' : `with a peer, ${judge}`;
  return [
    `**Speaks for: ${LEVEL_WORDS[level]}.** Scores ${pattern}, each from 1 (below) to 4 (exceeds).`,
    `${startedAt.slice(0, 10)}, ${minutes} minutes, ${how}; finished ${finishedAt.slice(0, 10)}.`,
  ].join('\n\n');
}

function sayMissing({ missing }: Scorecard): string[] {
  return missing.length === 0 ? [] : [`What stands between this and the next level:\n\n${list(missing)}`];
}

function scoreBlock({ title, score, evidence, suggested }: ScoreLine): string[] {
  const graded = suggested === null ? '' : ` The grade alone spoke for ${suggested}.`;
  return [`**${title}: ${score}, ${SCORE_WORDS[score - 1] ?? ''}.**${graded}`, quote(evidence)];
}

function ownScores({ ownScores: own, scores }: Scorecard): string[] {
  if (own === null) return [];
  const differences = own.flatMap(({ dimension, title, score, evidence }) => {
    const other = scores.find((line) => line.dimension === dimension)?.score ?? score;
    return other === score ? [] : [`${title}: own ${score}, interviewer ${other}. ${evidence}`];
  });
  const says = differences.length === 0 ? 'The candidate’s own scores are the same.' : list(differences);
  return ['## Where the candidate saw it otherwise', says];
}

function sayWork({ workOn, kata }: Scorecard): string {
  if (workOn.length === 0) return `Nothing was below 4. Take another kata, or a harder question on ${kata.title}.`;
  return list(
    workOn.map(
      ({ title, says, katas }) => `**${title}.** ${says}${katas.length === 0 ? '' : ` Katas: ${katas.join(', ')}.`}`,
    ),
  );
}

function sayPhase({ title, plannedMs, spentMs, skipped }: Scorecard['phases'][number]): string {
  const over = spentMs - plannedMs;
  const note = skipped ? ', skipped' : over >= 1000 ? `, over by ${sayDuration(over)}` : '';
  return `- ${title}: ${sayDuration(spentMs)} of ${sayDuration(plannedMs)}${note}`;
}

function sayAsked({ asked, notAsked }: Scorecard): string {
  const ticked = asked.map(({ says, elapsedMs }) => `${says} at ${sayDuration(elapsedMs)}`);
  const missed = notAsked.map(({ says }) => says);
  return [
    ticked.length === 0 ? 'Nothing of the must-ask list was ticked.' : `Asked: ${ticked.join(', ')}.`,
    ...(missed.length === 0 ? [] : [`Not asked: ${missed.join(', ')}.`]),
  ].join('\n\n');
}

function sayCurveballs({ curveballs }: Scorecard): string[] {
  if (curveballs.length === 0) return [];
  return ['## Curveballs', list(curveballs.map(({ say, elapsedMs }) => `At ${sayDuration(elapsedMs)}: ${say}`))];
}

function sayGrade({ grade, kata }: Scorecard): string[] {
  if (grade === null) return [];
  const { score, bar, band, status, brokenInvariants } = grade;
  const broken = brokenInvariants.length === 0 ? 'No invariant broke.' : `Broken: ${brokenInvariants.join(', ')}.`;
  const says =
    status === 'not-gradable'
      ? 'The attempt could not be graded.'
      : `${score} of 100 (bar ${bar}), ${LEVEL_WORDS[band]}. ${broken}`;
  return ['## Coded', `${kata.slug} was coded in the deep dive. ${says}`];
}

const list = (entries: readonly string[]): string => entries.map((entry) => `- ${entry}`).join('\n');
const quote = (text: string): string =>
  text
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');
