// The tables of the terminal report: points by dimension and criterion, and costs beside the reference.
import { columnsOf, type Look, MARK, padTo, paint, type Style, wrap } from '../../terminal/look.ts';
import type { CriterionResult, Report } from '../report.ts';
import { against, type BudgetRow, budgetRows, byDimension, isHeldBack, type Share, shareOf } from './digest.ts';
import { oneLine } from './plain-text.ts';
import { clip, heading, item, padStart, paragraph } from './terminal-lines.ts';
import { evidenceWords, HELD_BACK, number, timesWords } from './words.ts';

const SHARE: Record<Share, { mark: string; style: Style }> = {
  all: { mark: MARK.pass, style: 'green' },
  part: { mark: MARK.warn, style: 'yellow' },
  none: { mark: MARK.fail, style: 'red' },
  unjudged: { mark: MARK.none, style: 'dim' },
};
const LEGEND = `${MARK.pass} all   ${MARK.warn} part   ${MARK.fail} none   ${MARK.none} not judged`;
const POINTS_COLUMNS = 10;
const LEVEL_COLUMNS = 8;
const COST_COLUMNS = 12;
/** From here on there is room for a column of levels. */
const WIDE = 60;

/** Points by dimension and criterion; under each criterion that lost any, the evidence against it. */
export function pointsTable(report: Report, look: Look): string[] {
  const room = Math.min(look.width, 96);
  const rows = byDimension(report).flatMap(({ dimension, earned, points, criteria }) => [
    ends(paint(look, 'bold', `  ${dimension}`), pointsOf(earned, points), room),
    ...criteria.flatMap((each) => criterionLines(each, look, room)),
  ]);
  const isAnyHeldBack = report.criteria.some(isHeldBack);
  return [
    ...heading(look, 'Points'),
    ...rows,
    ...paragraph(look, LEGEND, { style: 'dim' }),
    ...(isAnyHeldBack ? paragraph(look, HELD_BACK, { style: 'dim' }) : []),
  ];
}

const pointsOf = (earned: number, points: number): string =>
  padStart(`${number(earned)} / ${number(points)}`, POINTS_COLUMNS);

const ends = (left: string, right: string, columns: number): string => padTo(left, columns - columnsOf(right)) + right;

function criterionLines(criterion: CriterionResult, look: Look, room: number): string[] {
  const { mark, style } = SHARE[shareOf(criterion)];
  const isWide = look.width >= WIDE;
  const title = oneLine(isWide ? criterion.title : `${criterion.title} (${criterion.level})`);
  const indent = isWide ? 4 + LEVEL_COLUMNS : 4;
  const [first = '', ...rest] = wrap({ ...look, width: room - POINTS_COLUMNS - 1 }, title, { indent }).split('\n');
  const lead = `  ${paint(look, style, mark)} ${isWide ? padTo(criterion.level, LEVEL_COLUMNS) : ''}`;
  return [
    ends(lead + first.trimStart(), pointsOf(criterion.earned, criterion.points), room),
    ...rest,
    ...against(criterion).flatMap((each) => paragraph(look, evidenceWords(each), { indent, style: 'dim' })),
  ];
}

/** What the attempt cost on the same schedules as the reference. */
export function costsTable(report: Report, look: Look): string[] {
  const rows = budgetRows(report);
  if (rows.length === 0) return [];
  const nameColumns = Math.min(28, Math.max(...rows.map(({ id }) => columnsOf(oneLine(id)))) + 2);
  const isWide = 4 + nameColumns + 4 * COST_COLUMNS <= look.width;
  const body = isWide ? wideCosts(rows, look, nameColumns) : rows.flatMap((row) => narrowCost(row, look));
  return [...heading(look, 'Costs beside the reference'), ...body];
}

function wideCosts(rows: readonly BudgetRow[], look: Look, nameColumns: number): string[] {
  const line = (cells: readonly string[]) => cells.map((cell) => padStart(cell, COST_COLUMNS)).join('');
  const head = `    ${padTo('', nameColumns)}${line(['attempt', 'reference', 'times', 'allowed'])}`;
  return [
    paint(look, 'dim', head),
    ...rows.map((row) => {
      const cells = [number(row.attempt), number(row.reference), timesWords(row), `${number(row.allowance)} ×`];
      return `  ${budgetMark(row, look)} ${padTo(clip(row.id, nameColumns), nameColumns)}${line(cells)}`;
    }),
  ];
}

function narrowCost(row: BudgetRow, look: Look): string[] {
  const { mark, style } = SHARE[row.isWithin ? 'all' : 'part'];
  const words = `${number(row.attempt)}, the reference ${number(row.reference)}; allowed ${number(row.allowance)} ×`;
  return [...item(look, mark, oneLine(row.id), { style }), ...paragraph(look, words, { indent: 4 })];
}

const budgetMark = (row: BudgetRow, look: Look): string =>
  row.isWithin ? paint(look, 'green', MARK.pass) : paint(look, 'yellow', MARK.warn);
