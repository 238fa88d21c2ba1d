import { expect, test } from 'vitest';
import { columnsOf, type Look } from '../../terminal/look.ts';
import { hostileReport, incompleteReport, notGradableReport, passedReport, sampleReport } from './sample-report.ts';
import { renderReport, renderVerdict } from './terminal.ts';

const plain = (width: number): Look => ({ width, colour: false });
const WIDE = plain(100);
const widest = (text: string) => Math.max(...text.split('\n').map(columnsOf));
const REPORTS = { sampleReport, hostileReport, notGradableReport, incompleteReport, passedReport };
const NARROW = Object.entries(REPORTS).flatMap(([name, report]) =>
  [40, 60, 100].map((width) => ({ name, report, width })),
);

test.each(NARROW)('keeps every line of $name within $width columns', ({ report, width }) => {
  expect(widest(renderReport(report, plain(width)))).toBeLessThanOrEqual(width);
});

test.each(NARROW)('keeps the verdict on $name within $width columns and ten lines', ({ report, width }) => {
  const verdict = renderVerdict(report, plain(width));

  expect(widest(verdict)).toBeLessThanOrEqual(width);
  expect(verdict.split('\n').length).toBeLessThanOrEqual(10);
});

test('uses no colour codes unless the look has colour', () => {
  expect(renderReport(hostileReport, WIDE)).not.toContain('\u001b');
  expect(renderVerdict(hostileReport, WIDE)).not.toContain('\u001b');
  expect(renderReport(sampleReport, { width: 100, colour: true })).toContain('\u001b[');
});

test('says the same with colour as without', () => {
  const coloured = renderReport(sampleReport, { width: 100, colour: true });

  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with one.
  expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(renderReport(sampleReport, WIDE));
});

test('names every criterion with its points and a mark', () => {
  const text = renderReport(sampleReport, WIDE);

  for (const { title } of sampleReport.criteria) expect(text).toContain(title);
  expect(text).toMatch(/! senior {2}One idempotency key for the life of a change +2\.3 \/ 14/);
  expect(text).toMatch(/✗ staff {3}One corrupt record costs one record +0 \/ 8/);
  expect(text).toMatch(/✓ mid {5}Durable before acknowledged +12 \/ 12/);
});

test('orders failing tests by level and points at the first difference', () => {
  const text = renderReport(sampleReport, WIDE, { fullTextPath: 'kept/failures.txt' });

  const places = ['✗ resends the same key', '✗ keeps the key', '✗ sends other', '✗ keeps all other'].map((each) =>
    text.indexOf(each),
  );

  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(text).toMatch(/^ {2}>> {2}- +"7c1e",$/m);
  expect(text).toContain('… 5 more lines');
  expect(text).toContain('kept/failures.txt');
});

test('tells the story of a broken invariant and how to go on', () => {
  const text = renderReport(sampleReport, WIDE);

  expect(text).toContain('no-effect-twice broken in 212 of 1,000 schedules');
  expect(text).toContain('4. the app is killed');
  expect(text).toContain('>> 22.171 s');
  expect(text).toContain('npx kata replay offline-queue k7f2');
  expect(text).toContain('npx kata hint offline-queue');
});

test('tells a schedule that breaks several invariants once, and what each of them says', () => {
  const { simulation } = sampleReport;
  const [first] = simulation.violations;
  if (!first) throw new Error('The sample has a violation.');
  const alike = { ...first, invariant: 'in-order', replayId: 'c401', schedule: structuredClone(first.schedule) };
  const other = { ...alike, invariant: 'heard', schedule: { ...first.schedule, world: 7 } };
  const violations = [first, alike, other];

  const text = renderReport({ ...sampleReport, simulation: { ...simulation, violations } }, WIDE);

  expect(text.split('What happens:')).toHaveLength(3);
  expect(text).toMatch(/In the schedule of (?:no-effect-twice|in-order), above\./);
  for (const invariant of ['in-order', 'heard']) expect(text).toContain(`${invariant} broken in`);
  expect(text).toContain('npx kata replay offline-queue c401');
});

test('tells which tests block others', () => {
  const blocked = sampleReport.tests.map((each) => ({ ...each, status: 'blocked' as const, blockedBy: 'loads' }));

  const text = renderReport({ ...sampleReport, tests: blocked }, WIDE);

  expect(text).toContain('14 tests blocked by "loads"');
  expect(text).toContain('suite not run');
});

test('shows no score of an attempt that is not gradable, but the reason', () => {
  const text = renderReport(notGradableReport, WIDE);

  expect(text).toContain('attempt.ts does not compile');
  expect(text).not.toContain('of 100');
  expect(text).not.toContain('Points');
  expect(renderVerdict(notGradableReport, WIDE)).toContain('Not gradable');
});

test('says that a simulation was not run, and that the points are not a grade yet', () => {
  const text = renderReport(incompleteReport, WIDE);

  expect(text).toContain('suite 14/14 · simulation not run');
  expect(text).toContain('so far');
  expect(text).toContain('The simulation took longer than 120 s');
  expect(text).toMatch(/· staff {3}Says so when storage is full +0 \/ 5/);
});

test('says why points above the bar do not pass', () => {
  const text = renderReport({ ...sampleReport, score: 72, band: 'not-yet' }, WIDE);

  expect(text).toContain('the points reach the bar of 70, but the grade is not yet at mid level');
});

test('says why points are missing where all evidence passes', () => {
  expect(renderReport(sampleReport, WIDE)).toContain('count in proportion to');
  expect(renderReport(passedReport, WIDE)).not.toContain('count in proportion to');
});

test('offers nothing that needs an attempt after a demonstration', () => {
  const text = renderReport(sampleReport, WIDE, { isDemo: true });

  expect(text).toContain('a typical first attempt');
  expect(text).toContain('npx kata start offline-queue');
  expect(text).not.toMatch(/kata (replay|hint|check)/);
});

test('gives a verdict with counts by level and the first failing test', () => {
  const verdict = renderVerdict(sampleReport, plain(80));

  expect(verdict).toContain('tests ✓ mid 4/4 · ✗ senior 6/9 · ✗ staff 0/1');
  expect(verdict).toContain('✗ senior: resends the same key after a lost response');
  expect(verdict).toMatch(/>> - "7c1e",\n {5}\+ "b94d",/);
});

test('gives a verdict with the first broken story once all tests pass', () => {
  const tests = sampleReport.tests.map((each) => ({ ...each, status: 'pass' as const, message: null }));

  const verdict = renderVerdict({ ...sampleReport, tests }, plain(80));

  expect(verdict).toContain('✗ no-effect-twice broken in 212 of 1,000 schedules');
  expect(verdict).toContain('The change "a" of entity 1 was applied twice');
});

test('does not say that nothing fails while points are missing', () => {
  const tests = passedReport.tests;
  const costly = { ...sampleReport, tests, simulation: passedReport.simulation };

  expect(renderVerdict(costly, plain(80))).not.toContain('Nothing fails');
  expect(renderVerdict(passedReport, plain(80))).toContain('Nothing fails');
});
