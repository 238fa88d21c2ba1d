// The HTML pages that the command line writes, in a real browser.
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { renderHtml as renderGrade } from '../grader/render/html.ts';
import {
  hostileReport,
  incompleteReport,
  notGradableReport,
  passedReport,
  sampleReport,
} from '../grader/render/sample-report.ts';
import { hostileStory, sampleTwoPhones } from '../grader/render/sample-story.ts';
import type { Report } from '../grader/report.ts';
import { renderHtml as renderProgress } from '../progress/html.ts';
import { type Chromium, HAS_CHROMIUM, openChromium, WHY_SKIPPED } from './chromium.ts';
import {
  contrastFaults,
  cutOffFaults,
  drawingFaults,
  headingFaults,
  keyboardFaults,
  nameFaults,
  sidewaysFaults,
  tableFaults,
  unfold,
} from './faults.ts';
import { emptyProgress, longProgress, UNRULY, unrulyProgress } from './sample-progress.ts';

const BARS = { 'offline-queue': 70 };
const [violation] = sampleReport.simulation.violations;

/** The sample with each of its stories told by other events, or by other words. */
const withViolations = (report: Report, ...changes: object[]): Report => ({
  ...report,
  simulation: {
    ...report.simulation,
    violations: violation === undefined ? [] : changes.map((change) => ({ ...violation, ...change })),
  },
});
const severalReport = withViolations(sampleReport, {}, { replayId: 'm3q9', story: sampleTwoPhones });
const unruly = (text: string): string => (text === hostileReport.kata.title ? UNRULY : text);
const unrulyReport: Report = JSON.parse(
  JSON.stringify({ ...withViolations(hostileReport, { invariant: UNRULY, story: hostileStory }), reason: UNRULY }),
  (_, value) => (typeof value === 'string' ? unruly(value) : value),
);

const GRADES = {
  'the grade of a failing attempt': renderGrade(severalReport),
  'the grade of a passing attempt': renderGrade(passedReport),
  'the grade of an attempt that does not compile': renderGrade(notGradableReport),
  'the grade of a simulation that hung': renderGrade(incompleteReport),
  'a grade full of unruly text': renderGrade(unrulyReport),
};
const PROGRESS = {
  'the progress of four months': renderProgress(longProgress, BARS),
  'the progress of a beginner': renderProgress(emptyProgress, BARS),
  'a progress full of unruly text': renderProgress(unrulyProgress, BARS),
};
const FAILING = GRADES['the grade of a failing attempt'];
const PAGES = Object.entries({ ...GRADES, ...PROGRESS });
const UNRULY_PAGES = PAGES.filter(([name]) => name.includes('unruly'));

let chromium: Chromium;
beforeAll(async () => {
  if (HAS_CHROMIUM) chromium = await openChromium();
});
afterEach(() => chromium?.closePages());
afterAll(() => chromium?.close());

const inChromium = test.runIf(HAS_CHROMIUM);

inChromium.each(PAGES)(
  `asks for nothing but its own file, and reports no error, in %s${WHY_SKIPPED}`,
  async (_, html) => {
    const { page, noticed } = await chromium.open(html);

    await unfold(page);

    expect(noticed).toEqual([]);
  },
);

inChromium.each(PAGES)(`scrolls sideways neither on a phone nor on a desk, in %s${WHY_SKIPPED}`, async (_, html) => {
  const { page } = await chromium.open(html);
  await unfold(page);

  const onDesk = await sidewaysFaults(page);
  await page.setViewportSize({ width: 360, height: 740 });
  const onPhone = await sidewaysFaults(page);

  expect({ onDesk, onPhone }).toEqual({ onDesk: [], onPhone: [] });
});

inChromium.each(PAGES)(`has text that can be read on light, dark and paper, in %s${WHY_SKIPPED}`, async (_, html) => {
  const { page } = await chromium.open(html);
  await unfold(page);

  const drawings = await drawingFaults(page);
  const light = await contrastFaults(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await contrastFaults(page);
  await page.emulateMedia({ colorScheme: 'dark', media: 'print' });
  const paper = await contrastFaults(page);

  expect({ drawings, light, dark, paper }).toEqual({ drawings: [], light: [], dark: [], paper: [] });
});

inChromium(`turns dark with the system${WHY_SKIPPED}`, async () => {
  const { page } = await chromium.open(FAILING);
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

  const light = await background();
  await page.emulateMedia({ colorScheme: 'dark' });

  expect(await background()).not.toBe(light);
});

inChromium.each(PAGES)(
  `tells by name and order what it holds to those who do not see it, in %s${WHY_SKIPPED}`,
  async (_, html) => {
    const { page } = await chromium.open(html);
    await unfold(page);

    const [names, headings, tables] = [await nameFaults(page), await headingFaults(page), await tableFaults(page)];

    expect({ names, headings, tables }).toEqual({ names: [], headings: [], tables: [] });
  },
);

inChromium.each(PAGES)(
  `lets the Tab key come to all that opens, copies or scrolls, in %s${WHY_SKIPPED}`,
  async (_, html) => {
    const { page } = await chromium.open(html);
    await page.setViewportSize({ width: 360, height: 740 });
    await unfold(page);

    expect(await keyboardFaults(page)).toEqual([]);
  },
);

inChromium.each(PAGES)(`cuts nothing off on paper, in %s${WHY_SKIPPED}`, async (_, html) => {
  const { page } = await chromium.open(html);
  await unfold(page);

  // What A4 leaves between Chromium's own margins.
  await page.setViewportSize({ width: 718, height: 1000 });
  await page.emulateMedia({ media: 'print' });

  expect([...(await cutOffFaults(page)), ...(await sidewaysFaults(page))]).toEqual([]);
});

inChromium(`unfolds everything when it is printed${WHY_SKIPPED}`, async () => {
  const { page } = await chromium.open(FAILING);
  const folded = page.locator('details:not([open])');

  const before = await folded.count();
  await page.pdf();

  expect([before > 0, await folded.count()]).toEqual([true, 0]);
});

inChromium.each(UNRULY_PAGES)(`lets text of a learner stay text, in %s${WHY_SKIPPED}`, async (_, html) => {
  const { page } = await chromium.open(html);
  await unfold(page);

  const found = await page.evaluate(() => ({
    strangers: document.querySelectorAll('img, body style:not(svg style), script:not(body > script:last-child)').length,
    cut: [...document.querySelectorAll('svg.story-diagram')].filter((each) => each.querySelector('.label') === null),
    text: document.body.innerText,
  }));

  expect(found).toMatchObject({ strangers: 0, cut: [] });
  expect(found.text).toContain('<script>alert("x")</script>');
  expect(found.text).toContain('</svg></style></pre><img src=x onerror=alert(1)>');
});

inChromium(`opens and folds everything that folds with the keyboard${WHY_SKIPPED}`, async () => {
  const { page } = await chromium.open(FAILING);
  const shown = (n: number) =>
    page.evaluate((at) => document.querySelectorAll('summary')[at]?.nextElementSibling?.checkVisibility(), n);
  const summaries = page.locator('summary');
  const seen: unknown[] = [];

  for (let n = 0; n < (await summaries.count()); n += 1) {
    const before = await shown(n);
    await summaries.nth(n).press('Enter');
    const after = await shown(n);
    await summaries.nth(n).press('Space');
    seen.push([before, after, await shown(n)]);
  }

  const [first, ...others] = seen;
  expect(first).toEqual([true, false, true]);
  expect(others).toEqual(others.map(() => [false, true, false]));
  expect(others.length).toBeGreaterThan(5);
});

const copied = (page: Page) => page.evaluate(() => navigator.clipboard.readText());

inChromium(`copies a command with the keyboard, says so, and can copy again${WHY_SKIPPED}`, async () => {
  const { page, noticed } = await chromium.open(FAILING, (each) => each.clock.install());
  const button = page.getByRole('button', { name: 'the command' }).first();

  await button.press('Enter');
  const text = await copied(page);
  const said = [await button.innerText(), await button.getAttribute('aria-label')];
  await page.clock.runFor(1500);
  const later = [await button.innerText(), await button.getAttribute('aria-label')];

  expect(text).toBe('npx kata replay offline-queue k7f2');
  expect(said).toEqual(['Copied', 'Copied the command']);
  expect(later).toEqual(['Copy', 'Copy the command']);
  expect(noticed).toEqual([]);
});

inChromium(`copies a whole schedule that reads as JSON${WHY_SKIPPED}`, async () => {
  const { page } = await chromium.open(FAILING);
  await page.getByText('The schedule as JSON').first().click();

  await page.getByRole('button', { name: 'Copy the schedule' }).first().click();

  expect(JSON.parse(await copied(page))).toEqual(violation?.schedule);
});

inChromium(`copies where the browser keeps its clipboard from pages${WHY_SKIPPED}`, async () => {
  const { page } = await chromium.open(FAILING, (each) =>
    each.addInitScript("Object.defineProperty(navigator, 'clipboard', { value: undefined })"),
  );
  const { page: reader } = await chromium.open('<!doctype html><title>reader</title>');
  await page.bringToFront();

  await page.getByRole('button', { name: 'Copy the command' }).nth(1).click();
  await reader.bringToFront();

  expect(await copied(reader)).toBe('npx kata replay offline-queue m3q9');
});

inChromium(`marks points and costs with a sign and a word each, beside their colour${WHY_SKIPPED}`, async () => {
  const { page } = await chromium.open(FAILING);

  const marks = await page.evaluate(() =>
    [...document.querySelectorAll('td.mark')].map((cell) => {
      const sign = cell.querySelector('[role=img]');
      return `${getComputedStyle(cell).color} ${sign?.textContent}`;
    }),
  );

  const [colours, signs] = [
    new Set(marks.map((mark) => mark.split(') ')[0])),
    new Set(marks.map((mark) => mark.at(-1))),
  ];
  expect([...signs].sort()).toEqual(['!', '✓', '✗']);
  expect(new Set(marks).size).toBe(colours.size);
});

inChromium(`tells every state of a story in words or by its shape, beside its colour${WHY_SKIPPED}`, async () => {
  const { page } = await chromium.open(FAILING);

  const drawing = await page.evaluate(() => {
    const svg = document.querySelector('svg.story-diagram');
    const words = (kind: string) =>
      [...(svg?.querySelectorAll(`text.label.${kind}`) ?? [])].map((each) => each.textContent);
    const style = (kind: string) => getComputedStyle(svg?.querySelector(kind) ?? document.body);
    return {
      kill: words('kill'),
      launch: words('launch'),
      lost: words('lost'),
      offline: words('offline'),
      online: words('online'),
      dashes: [style('.message').strokeDasharray, style('.message.lost').strokeDasharray],
      weights: [style('text.label.none').fontWeight, style('text.label.violation').fontWeight],
      rings: svg?.querySelectorAll('.ring').length,
    };
  });

  expect(drawing).toEqual({
    kill: [expect.stringContaining('KILLED')],
    launch: [expect.stringContaining('LAUNCHED'), expect.stringContaining('LAUNCHED')],
    lost: [expect.stringContaining('lost')],
    offline: ['offline'],
    online: ['online'],
    dashes: ['none', '6px, 4px'],
    weights: ['400', '650'],
    rings: 1,
  });
});

inChromium(
  `draws a grade that passed full and one that did not hollow, and says which is which${WHY_SKIPPED}`,
  async () => {
    const { page } = await chromium.open(PROGRESS['the progress of four months']);

    const { fills, paper } = await page.evaluate(() => ({
      fills: [...document.querySelectorAll('circle')].map((dot) => getComputedStyle(dot).fill),
      paper: getComputedStyle(document.querySelector('.card') ?? document.body).backgroundColor,
    }));

    expect(fills.map((fill) => fill === paper)).toEqual([false, true, true, false, false, false]);
    expect(await page.getByText('● passed, ○ not passed').isVisible()).toBe(true);
  },
);

const BROKEN: [what: string, find: (page: Page) => Promise<string[]>, body: string, fault: RegExp][] = [
  ['a word that is too long', sidewaysFaults, `<p>${'long'.repeat(500)}</p>`, /wide where there are 1280: <p/],
  ['pale text', contrastFaults, '<p style="color:#888;background:#fff">pale</p>', /3\.54:1.*pale/],
  [
    'pale text of a drawing',
    contrastFaults,
    '<svg><rect width="99" height="99" fill="#000"/><text y="20">black</text></svg>',
    /1\.00:1.*black/,
  ],
  ['a page without text', contrastFaults, '', /no text/],
  ['a nameless picture', nameFaults, '<svg role="img"><circle r="9"/></svg>', /nameless im/],
  [
    'a nameless table',
    nameFaults,
    '<table><tr><th>a</th><td>1</td></tr><tr><th>b</th><td>2</td></tr></table>',
    /table/,
  ],
  ['a drawing that is no image', nameFaults, '<svg><circle r="9"/></svg>', /no image/],
  ['a left-out level', headingFaults, '<h1>one</h1><h3>three</h3>', /level 3 after level 1/],
  ['a page without a first heading', headingFaults, '<h2>two</h2>', /0 first headings/],
  ['a table without headers', tableFaults, '<table><tr><td>1</td></tr></table>', /without a head/],
  ['a column without a header', tableFaults, '<table><thead><tr><td></td></tr></thead></table>', /column 1/],
  ['words over words', drawingFaults, '<svg><text y="20">one</text><text y="20">two</text></svg>', /one.*over.*two/],
  ['words out of a drawing', drawingFaults, '<svg width="50"><text x="40" y="20">long</text></svg>', /runs out/],
  ['a scroller without keys', keyboardFaults, '<pre style="overflow:auto;width:9px">wide</pre>', /takes no keys/],
  ['what no key comes to', keyboardFaults, '<button tabindex="-1">shy</button>', /does not come to.*shy/],
  ['what paper cuts off', cutOffFaults, '<pre style="overflow:auto;width:9px">wide</pre>', /wide.*cut off/],
];

inChromium.each(BROKEN)(`finds %s${WHY_SKIPPED}`, async (_, find, body, fault) => {
  const { page } = await chromium.open(`<!doctype html><title>broken</title>${body}`);

  expect((await find(page)).join()).toMatch(fault);
});

inChromium(`notices errors and requests${WHY_SKIPPED}`, async () => {
  const html = '<!doctype html><img src="http://127.0.0.1:9/x.png"><script>console.error("said"); nothing();</script>';

  const { noticed } = await chromium.open(html);

  expect(noticed).toEqual(
    expect.arrayContaining([
      'request: http://127.0.0.1:9/x.png',
      'console: said',
      'page error: nothing is not defined',
    ]),
  );
});
