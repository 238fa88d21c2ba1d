// A grade as GitHub-flavoured Markdown, for a pull request, an issue or notes.
import type { CriterionResult, Report, TestResult, Violation } from '../report.ts';
import {
  against,
  blockers,
  brokenInvariants,
  budgetRows,
  byDimension,
  criterionOf,
  failingTests,
  isHeldBack,
  isScored,
  type Share,
  shareOf,
} from './digest.ts';
import { fenced, inline, table } from './markdown-blocks.ts';
import { renderMermaidDiagram } from './mermaid-diagram.ts';
import { nextCommands, replayCommand } from './next-commands.ts';
import { plainText } from './plain-text.ts';
import * as words from './words.ts';

const SHARE: Record<Share, string> = { all: '✓', part: '!', none: '✗', unjudged: '·' };

/** The report as Markdown, with each story as a Mermaid diagram. */
export function renderMarkdown(report: Report): string {
  const told = plainText(report);
  const sections = [
    head(told),
    isScored(told) ? points(told) : [],
    fixFirst(told),
    checks(told),
    failures(told),
    ...brokenInvariants(told).map((violation, n) => brokenRule(told, violation, n === 0)),
    costs(told),
    [
      '## Go on',
      nextCommands(told)
        .map(({ command, does }) => `- \`${command}\`: ${does}`)
        .join('\n'),
    ],
    [`<sub>${inline(words.environmentWords(told))}</sub>`],
  ];
  return `${sections.flat().join('\n\n')}\n`;
}

function head(report: Report): string[] {
  const score = `**${words.number(report.score)} of 100${report.status === 'incomplete' ? ' so far' : ''}**`;
  const result = inline(words.resultWords(report));
  return [
    `# ${inline(report.kata.title)}: ${words.targetWords(report)}`,
    isScored(report) ? `${score} · ${result}` : `**${result}**`,
    ...(report.reason === null ? [] : [`> ${inline(report.reason)}`]),
    inline(`${words.suiteWords(report)} · ${words.simulationWords(report)}`),
  ];
}

function points(report: Report): string[] {
  const rows = byDimension(report).flatMap(({ dimension, earned, points: all, criteria }) => [
    ['', `**${dimension}**`, '', `**${words.number(earned)} / ${words.number(all)}**`, ''],
    ...criteria.map(criterionRow),
  ]);
  return [
    '## Points',
    table(['', 'Criterion', 'Level', 'Points', 'Evidence against it'], rows, [3]),
    '✓ all · ! part · ✗ none · `·` not judged',
    ...(report.criteria.some(isHeldBack) ? [words.HELD_BACK] : []),
  ];
}

const criterionRow = (criterion: CriterionResult): string[] => [
  SHARE[shareOf(criterion)],
  inline(criterion.title),
  criterion.level,
  `${words.number(criterion.earned)} / ${words.number(criterion.points)}`,
  against(criterion)
    .map((each) => inline(words.evidenceWords(each)))
    .join('<br>'),
];

function fixFirst(report: Report): string[] {
  if (report.fixFirst === null) return [];
  const { criterion: id, because, hint } = report.fixFirst;
  const title = criterionOf(report, id)?.title ?? id;
  return ['## Fix first', `**${inline(title)}**`, inline(because), `*Hint:* ${inline(hint)}`];
}

function checks(report: Report): string[] {
  const failed = report.checks.filter(({ status }) => status !== 'pass');
  if (failed.length === 0) return [];
  const lines = failed.map(({ id, status, detail }) => `- ${id} ${words.statusWords(status)}: ${inline(detail)}`);
  return ['## Checks', lines.join('\n')];
}

function failures(report: Report): string[] {
  const failing = failingTests(report);
  const blocked = blockers(report).map(
    ({ by, count }) => `${words.counted(count, 'test')} blocked by “${inline(by)}”.`,
  );
  if (failing.length + blocked.length === 0) return [];
  return ['## Failing tests', ...failing.flatMap((test) => failure(report, test)), ...blocked];
}

function failure(report: Report, test: TestResult): string[] {
  const level = criterionOf(report, test.criterion)?.level;
  const about = [words.statusWords(test.status), level, ...test.spec].filter((each) => each !== undefined).join(', ');
  const title = `### ✗ ${inline(test.name)} (${about})`;
  return test.message === null ? [title] : [title, fenced(test.message, 'text')];
}

function brokenRule(report: Report, violation: Violation, isFirst: boolean): string[] {
  const { story, invariant, schedule, replayId } = violation;
  const beside = words.differenceWords(story);
  return [
    ...(isFirst ? ['## Broken invariants'] : []),
    `### ✗ ${inline(invariant)} ${words.brokenWords(report, violation)}`,
    inline(story.headline),
    story.steps.map((step, n) => `${n + 1}. ${inline(step)}`).join('\n'),
    fenced(renderMermaidDiagram(story), 'mermaid'),
    ...(beside === null
      ? []
      : [`${inline(beside.title)}\n\n- ${inline(beside.attempt)}\n- ${inline(beside.reference)}`]),
    `Again: \`${replayCommand(report, replayId)}\``,
    `<details><summary>The schedule as JSON</summary>\n\n${fenced(JSON.stringify(schedule, null, 2), 'json')}\n\n</details>`,
  ];
}

function costs(report: Report): string[] {
  if (report.budgets.length === 0) return [];
  const rows = budgetRows(report).map((row) => [
    row.isWithin ? '✓' : '!',
    inline(row.id),
    words.number(row.attempt),
    words.number(row.reference),
    words.timesWords(row),
    `${words.number(row.allowance)} ×`,
  ]);
  const names = ['', 'Budget', 'Attempt', 'Reference', 'Times', 'Allowed'];
  return ['## Costs beside the reference', table(names, rows, [2, 3, 4, 5])];
}
