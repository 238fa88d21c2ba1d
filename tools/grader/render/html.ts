// A grade as one page that needs nothing but itself: it opens from a folder, a mail or a build's artefacts.
import { createHash } from 'node:crypto';
import type { Report } from '../report.ts';
import { isScored } from './digest.ts';
import { escapeMarkup } from './escape.ts';
import { brokenSection, checksSection, failuresSection, firstSection } from './html-findings.ts';
import { commandLine, section, words } from './html-parts.ts';
import { costsSection, pointsSection } from './html-points.ts';
import { PAGE_SCRIPT } from './html-script.ts';
import { PAGE_STYLE } from './html-style.ts';
import { nextCommands } from './next-commands.ts';
import { oneLine, plainText } from './plain-text.ts';
import { environmentWords, number, resultWords, simulationWords, suiteWords, targetWords } from './words.ts';

// The page may load nothing and run no script but its own, whatever an attempt's texts hold.
const SCRIPT_HASH = createHash('sha256').update(PAGE_SCRIPT).digest('base64');
const POLICY = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${SCRIPT_HASH}'; base-uri 'none'; form-action 'none'`;

/** The report as a self-contained HTML page, with each story as a drawing. */
export function renderHtml(report: Report): string {
  const told = plainText(report);
  const title = oneLine(`${told.kata.title}: ${isScored(told) ? `${number(told.score)} of 100` : 'not gradable'}`);
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeMarkup(title)}</title>`,
    `<style>${PAGE_STYLE}</style>`,
    '</head>',
    '<body>',
    `<main>\n${body(told)}\n</main>`,
    `<script>${PAGE_SCRIPT}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function body(report: Report): string {
  return [
    `<header><p class="kicker">Airplane Mode · grade of ${targetWords(report)}</p><h1>${words(oneLine(report.kata.title))}</h1></header>`,
    scoreCard(report),
    firstSection(report),
    isScored(report) ? pointsSection(report) : '',
    checksSection(report),
    failuresSection(report),
    report.simulation.violations.length === 0 ? '' : brokenSection(report),
    costsSection(report),
    section('Go on', [
      `<div class="card">${nextCommands(report)
        .map(({ command, does }) => commandLine(command, does))
        .join('\n')}</div>`,
    ]),
    `<footer>${words(environmentWords(report))}</footer>`,
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function scoreCard(report: Report): string {
  return [
    '<section class="card score" aria-label="Result">',
    ...(isScored(report) ? [meter(report)] : []),
    `<p class="result ${report.status}">${words(resultWords(report))}</p>`,
    ...(report.reason === null ? [] : [`<p class="reason">${words(report.reason)}</p>`]),
    `<p class="ran">${words(`${suiteWords(report)} · ${simulationWords(report)}`)}</p>`,
    '</section>',
  ].join('\n');
}

function meter({ score, bar, status }: Report): string {
  const within = (value: number) => Math.max(0, Math.min(100, value));
  const soFar = status === 'incomplete' ? ' so far' : '';
  return [
    `<p class="total"><strong>${number(score)}</strong>of 100${soFar}</p>`,
    `<div class="meter ${status}" aria-hidden="true"><span style="width:${within(score)}%"></span>`,
    `<i style="left:${within(bar)}%"></i><b style="left:${within(bar)}%">bar ${number(bar)}</b></div>`,
  ].join('');
}
