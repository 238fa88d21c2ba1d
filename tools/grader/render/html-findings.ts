// The findings of a report's page: what to fix first, checks, failing tests, broken invariants.
import type { Report, TestResult, Violation } from '../report.ts';
import { blockers, brokenInvariants, criterionOf, criterionOfInvariant, failingTests } from './digest.ts';
import { escapeMarkup } from './escape.ts';
import { excerptOf } from './excerpt.ts';
import { commandLine, levelLabel, section, words } from './html-parts.ts';
import { replayCommand } from './next-commands.ts';
import { renderSvgDiagram } from './svg-diagram.ts';
import { renderTextDiagram } from './text-diagram.ts';
import { brokenWords, counted, differenceWords, number, statusWords } from './words.ts';

/** The criterion most worth winning back. */
export function firstSection(report: Report): string {
  if (report.fixFirst === null) return '';
  const { criterion: id, because, hint } = report.fixFirst;
  const criterion = criterionOf(report, id);
  const lost = criterion && Math.round((criterion.points - criterion.earned) * 10) / 10;
  return [
    '<section class="card first" style="margin-top:1rem">',
    '<h2>Fix first</h2>',
    `<h3>${words(criterion?.title ?? id)}${levelLabel(criterion?.level)}</h3>`,
    ...(because === '' ? [] : [`<p>${words(because)}</p>`]),
    ...(lost === undefined ? [] : [`<p class="soft">${number(lost)} points to win back.</p>`]),
    ...(hint === '' ? [] : [`<p class="hint"><strong>Hint.</strong> ${words(hint)}</p>`]),
    '</section>',
  ].join('\n');
}

/** The checks that did not pass. */
export function checksSection(report: Report): string {
  const failed = report.checks
    .filter(({ status }) => status !== 'pass')
    .map(
      ({ id, status, detail }) =>
        `<p><strong>${id}</strong> ${statusWords(status)}${detail === '' ? '' : `: ${words(detail)}`}</p>`,
    );
  return failed.length === 0 ? '' : section('Checks', [`<div class="card">${failed.join('\n')}</div>`]);
}

/** Each failing test, the lowest level first, with its whole text; the first is open. */
export function failuresSection(report: Report): string {
  const failing = failingTests(report);
  const blocked = blockers(report).map(
    ({ by, count }) => `<p class="note">· ${counted(count, 'test')} blocked by “${words(by)}”</p>`,
  );
  const title = failing.length === 0 ? 'Blocked tests' : `Failing tests (${failing.length})`;
  return section(title, [...failing.map((test, n) => failure(report, test, n === 0)), ...blocked]);
}

function failure(report: Report, test: TestResult, isOpen: boolean): string {
  const level = criterionOf(report, test.criterion)?.level;
  const about = [statusWords(test.status), ...test.spec].join(' · ');
  const summary = `<span class="fail" aria-hidden="true">✗</span> ${words(test.name)}${levelLabel(level)} <span class="soft">${words(about)}</span>`;
  const text =
    test.message === null ? '<p class="soft">It left no text.</p>' : `<pre tabindex="0">${marked(test.message)}</pre>`;
  return `<details${isOpen ? ' open' : ''}><summary>${summary}</summary>\n${text}\n</details>`;
}

/** The whole text, with the first difference marked. */
function marked(message: string): string {
  const { lines, difference } = excerptOf(message, Number.POSITIVE_INFINITY);
  return lines
    .map((line, n) => (n === difference ? `<mark class="differs">${escapeMarkup(line)}</mark>` : escapeMarkup(line)))
    .join('\n');
}

/** Each broken invariant with its story, the lowest level first. */
export const brokenSection = (report: Report): string =>
  section(
    `Broken invariants (${report.simulation.violations.length})`,
    brokenInvariants(report).map((violation) => brokenRule(report, violation)),
  );

function brokenRule(report: Report, violation: Violation): string {
  const { story, invariant, schedule } = violation;
  const level = criterionOfInvariant(report, invariant)?.level;
  const drawing = `<figure tabindex="0" role="region" aria-label="Diagram of the story">${renderSvgDiagram(story)}</figure>`;
  const asText = renderTextDiagram(story, { width: 100, colour: false });
  return [
    '<article class="card invariant">',
    `<h3><span class="fail" aria-hidden="true">✗</span> ${words(invariant)}${levelLabel(level)} <span class="soft">${brokenWords(report, violation)}</span></h3>`,
    `<p class="headline">${words(story.headline)}</p>`,
    `<ol>${story.steps.map((step) => `<li>${words(step)}</li>`).join('')}</ol>`,
    drawing,
    beside(violation),
    commandLine(replayCommand(report, violation.replayId), 'runs this schedule again'),
    `<details><summary>The same as text</summary><pre tabindex="0" data-copy="the story as text">${escapeMarkup(asText)}</pre></details>`,
    `<details><summary>The schedule as JSON, for <code>kata replay</code></summary><pre tabindex="0" data-copy="the schedule">${escapeMarkup(JSON.stringify(schedule, null, 2))}</pre></details>`,
    '</article>',
  ].join('\n');
}

function beside({ story }: Violation): string {
  const difference = differenceWords(story);
  if (difference === null) return '';
  const { title, attempt, reference } = difference;
  return `<dl class="beside"><dt>${words(title)}</dt><dd>${words(attempt)}</dd><dd>${words(reference)}</dd></dl>`;
}
