// The tables of a report's page: points by dimension and criterion, and costs beside the reference.
import type { CriterionResult, Report } from '../report.ts';
import { against, budgetRows, byDimension, isHeldBack, type Share, shareOf } from './digest.ts';
import { levelLabel, section, words } from './html-parts.ts';
import { counted, evidenceWords, HELD_BACK, number, timesWords } from './words.ts';

// The sign tells it without colour, the words tell it without sight.
const SHARE: Record<Share, [sign: string, says: string]> = {
  all: ['✓', 'all points'],
  part: ['!', 'part of the points'],
  none: ['✗', 'no points'],
  unjudged: ['·', 'not judged'],
};

/** The head of the column of signs: they need no word above them to be seen. */
const MARK_HEAD = '<th scope="col" aria-label="Mark"></th>';

/** Points by dimension and criterion, with the evidence against each. */
export function pointsSection(report: Report): string {
  const bodies = byDimension(report).map(({ dimension, earned, points, criteria }) => {
    const total = `<td class="number">${number(earned)} / ${number(points)}</td>`;
    const head = `<tr class="dimension"><td></td><th scope="rowgroup">${words(dimension)}</th>${total}</tr>`;
    return `<tbody>\n${[head, ...criteria.map(criterionRow)].join('\n')}\n</tbody>`;
  });
  const head = `<thead><tr>${MARK_HEAD}<th scope="col">Criterion</th><th scope="col" class="number">Points</th></tr></thead>`;
  const legend = Object.values(SHARE).map(([sign, says]) => `${sign} ${says}`);
  const note = [legend.join(', '), ...(report.criteria.some(isHeldBack) ? [HELD_BACK] : [])];
  return section('Points', [
    `<div class="card"><table aria-label="Points by criterion">${head}${bodies.join('')}</table>${note.map((each) => `<p class="note">${words(each)}</p>`).join('')}</div>`,
  ]);
}

function criterionRow(criterion: CriterionResult): string {
  const share = shareOf(criterion);
  const [sign, says] = SHARE[share];
  const broken = against(criterion).map((each) => `<li>${words(evidenceWords(each))}</li>`);
  const list =
    broken.length === 0
      ? ''
      : `<ul class="against" aria-label="${counted(broken.length, 'finding')}">${broken.join('')}</ul>`;
  return [
    `<tr><td class="mark ${share}"><span role="img" aria-label="${says}">${sign}</span></td>`,
    `<th scope="row">${words(criterion.title)}${levelLabel(criterion.level)}${list}</th>`,
    `<td class="number">${number(criterion.earned)} / ${number(criterion.points)}</td></tr>`,
  ].join('');
}

/** What the attempt cost on the same schedules as the reference. */
export function costsSection(report: Report): string {
  const rows = budgetRows(report).map((row) => {
    const cells = [number(row.attempt), number(row.reference), timesWords(row), `${number(row.allowance)} ×`];
    const [share, says, sign] = row.isWithin ? ['all', 'within the budget', '✓'] : ['part', 'over the budget', '!'];
    const mark = `<td class="mark ${share}"><span role="img" aria-label="${says}">${sign}</span></td>`;
    return `<tr>${mark}<th scope="row">${words(row.id)}</th>${cells.map((cell) => `<td class="number">${cell}</td>`).join('')}</tr>`;
  });
  if (rows.length === 0) return '';
  const names = ['Attempt', 'Reference', 'Times', 'Allowed'].map(
    (name) => `<th scope="col" class="number">${name}</th>`,
  );
  const head = `<thead><tr>${MARK_HEAD}<th scope="col">Budget</th>${names.join('')}</tr></thead>`;
  return section('Costs beside the reference', [
    `<div class="card costs scroll" tabindex="0" role="group" aria-label="Table"><table aria-label="Costs beside the reference">${head}<tbody>${rows.join('\n')}</tbody></table></div>`,
  ]);
}
