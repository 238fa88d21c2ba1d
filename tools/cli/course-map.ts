// The map of the course: tiers, states, what builds on what, and the next step.
import type { BrokenKata, Catalogue, Kata } from '../course/catalogue.ts';
import { describeProblem } from '../course/course-problem.ts';
import type { KataState } from '../course/kata-state.ts';
import { type NextKata, nextKata } from '../course/next-kata.ts';
import type { Standing } from '../history/standing.ts';
import { type Look, MARK, padTo, paint, type Style, wrap } from '../terminal/look.ts';

interface StateLook {
  readonly mark: string;
  readonly words: string;
  readonly style: Style;
}

/** Mark, words and colour of each state; the words alone say it all. */
export const STATE_LOOK: Readonly<Record<KataState, StateLook>> = {
  'never-tried': { mark: MARK.none, words: 'never tried', style: 'dim' },
  'in-progress': { mark: MARK.arrow, words: 'in progress', style: 'cyan' },
  solved: { mark: MARK.pass, words: 'solved', style: 'green' },
  'broken-since': { mark: MARK.fail, words: 'solved once, broken since', style: 'red' },
  stale: { mark: MARK.warn, words: 'solved, stale', style: 'yellow' },
};

const TIERS = [
  { tier: 'pattern', title: 'Patterns', minutes: '30 to 45 minutes' },
  { tier: 'feature', title: 'Features', minutes: '60 to 90 minutes' },
] as const;

/** The whole map as text, without a line end at its end. */
export function renderMap(look: Look, catalogue: Catalogue, standingOf: (kata: Kata) => Standing): string {
  const { katas, broken } = catalogue;
  const solved = katas.filter((kata) => standingOf(kata).state === 'solved').length;
  const tiers = TIERS.flatMap(({ tier, title, minutes }) => {
    const ofTier = katas.filter((kata) => kata.tier === tier);
    if (ofTier.length === 0) return [];
    return [`${paint(look, 'bold', title)} (${minutes})\n${renderRows(look, ofTier, standingOf)}`];
  });
  return [
    `${paint(look, 'bold', 'Airplane Mode')} ${MARK.none} ${solved} of ${katas.length} solved`,
    ...tiers,
    ...(broken.length === 0 ? [] : [renderBroken(look, broken)]),
    renderNext(look, catalogue, standingOf),
  ].join('\n\n');
}

function renderRows(look: Look, katas: readonly Kata[], standingOf: (kata: Kata) => Standing): string {
  const cells = katas.map((kata) => ({ kata, ...cellsOf(kata, standingOf(kata)) }));
  const widest = (pick: (cell: (typeof cells)[number]) => string) =>
    Math.max(...cells.map((cell) => pick(cell).length));
  const slugWidth = widest(({ kata }) => kata.slug);
  const wordsWidth = widest(({ words }) => words);
  const bestWidth = widest(({ best }) => best);
  const base = widest(({ builds }) => builds) + 6 + slugWidth + wordsWidth + bestWidth;
  const isOneLine = base + (bestWidth === 0 ? 0 : 2) <= look.width;
  return cells
    .map(({ kata, mark, words, style, best, builds }) => {
      const head = `  ${paint(look, style, mark)} `;
      if (!isOneLine)
        return `${head}${kata.slug}\n${wrap(look, [words, best, builds].filter(Boolean).join(', '), { indent: 6 })}`;
      const score = bestWidth === 0 ? '' : `  ${padTo(best, bestWidth)}`;
      const line = `${padTo(kata.slug, slugWidth)}  ${paint(look, style, padTo(words, wordsWidth))}${score}  ${builds}`;
      return `${head}${line}`.trimEnd();
    })
    .join('\n');
}

function cellsOf({ buildsOn }: Kata, { state, best }: Standing) {
  return {
    ...STATE_LOOK[state],
    best: best === null ? '' : `best ${Math.floor(best)}`,
    builds: buildsOn.length === 0 ? '' : `builds on ${buildsOn.join(', ')}`,
  };
}

function renderBroken(look: Look, broken: readonly BrokenKata[]): string {
  const lines = broken.flatMap(({ slug, problems }) => [
    `  ${paint(look, 'red', MARK.fail)} ${slug}`,
    ...problems.map((problem) => wrap(look, describeProblem(problem), { indent: 6 })),
  ]);
  return [paint(look, 'bold', 'Files that need mending'), ...lines].join('\n');
}

function renderNext(look: Look, { katas }: Catalogue, standingOf: (kata: Kata) => Standing): string {
  if (katas.length === 0) return wrap(look, 'This course has no katas yet. Make one with: npx kata new <slug>');
  const next = nextStep(katas, standingOf);
  if (next === undefined) return wrap(look, 'All solved. To stay in practice, begin one afresh: npx kata retry <slug>');
  const { says, command } = sayNext(next);
  return `${wrap(look, `Next: ${says}`)}\n  ${paint(look, 'cyan', command)}`;
}

/** The good next kata by the learner's standings; undefined when all is solved. */
export function nextStep(katas: readonly Kata[], standingOf: (kata: Kata) => Standing): NextKata<Kata> | undefined {
  const states = new Map(katas.map((kata) => [kata.slug, standingOf(kata).state]));
  return nextKata(katas, (slug) => states.get(slug) ?? 'never-tried');
}

/** A next step in words, with the command that takes it. */
export function sayNext({ kata, why }: NextKata<Kata>): { says: string; command: string } {
  const { slug, title, minutes, buildsOn } = kata;
  switch (why) {
    case 'unfinished':
      return { says: `go on with ${title}.`, command: `npx kata watch ${slug}` };
    case 'broken-since':
      return { says: `${title} was solved and no longer passes.`, command: `npx kata watch ${slug}` };
    case 'ready':
      return { says: `${title}, about ${minutes} minutes.`, command: `npx kata start ${slug}` };
    case 'out-of-order':
      return { says: `${title}, though it builds on ${buildsOn.join(', ')}.`, command: `npx kata start ${slug}` };
    case 'stale':
      return { says: `${title} has changed since you solved it. Grade it again.`, command: `npx kata grade ${slug}` };
  }
}
