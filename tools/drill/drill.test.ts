import path from 'node:path';
import { expect, test } from 'vitest';
import { loadRubric } from '../course/load-rubric.ts';
import type { Rubric } from '../course/schema.ts';
import type { DrillCard, DrillRating, PracticeHistory } from '../history/practice.ts';
import { readDrillAnswers } from './answers-file.ts';
import { choose } from './choose.ts';
import { dueByKata } from './due.ts';
import { questionsOf } from './questions.ts';
import { schedule } from './schedule.ts';
import { DrillSession } from './session.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const NOW_MS = Date.parse('2026-03-02T09:00:00.000Z');
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const question = (card: string) => ({
  card,
  kata: card.split('/')[0] ?? '',
  from: 'rules' as const,
  ask: 'Why?',
  answer: ['Because.'],
  spec: ['R1'],
});
const cardDue = (card: string, inMs: number): DrillCard => ({
  card,
  kata: card.split('/')[0] ?? '',
  due: new Date(NOW_MS + inMs).toISOString(),
  state: '',
});

/** A history in memory. */
function memory(cards: readonly DrillCard[] = []) {
  const kept = new Map(cards.map((card) => [card.card, card]));
  const answers: { card: string; kata: string; at: string; answer: string; rating: DrillRating | null }[] = [];
  const history: PracticeHistory = {
    addReview: () => true,
    reviews: () => [],
    drillCards: () => [...kept.values()],
    addDrillAnswer: (answer) => answers.push({ ...answer, rating: null }),
    rateDrillAnswer: (at, rating, card) => {
      const answer = at === null ? undefined : answers[at - 1];
      if (answer) answer.rating = rating;
      kept.set(card.card, card);
      return true;
    },
    drillAnswers: () => answers,
  };
  return { history, kept, answers };
}

test.each(['offline-queue', 'token-refresh', 'cursor-pagination', 'escalation-routing'])(
  'has a dozen questions or more on %s, each with an answer of its own',
  async (slug) => {
    const questions = questionsOf(await loadRubric(root, slug));
    const own = questions.filter(({ from }) => from === 'rules');

    expect(own.length).toBeGreaterThanOrEqual(12);
    expect(new Set(questions.map(({ card }) => card)).size).toBe(questions.length);
    expect(new Set(own.map(({ answer }) => answer[0])).size).toBe(own.length);
  },
);

test('asks curveballs only where an answer is known, and shows each level of a follow-up', async () => {
  const rubric: Rubric = {
    ...(await loadRubric(root, 'offline-queue')),
    drill: [],
  };
  const interview = {
    ...rubric.interview,
    followUps: [{ ask: 'And then?', mid: 'a', senior: 'b', staff: 'c' }],
    curveballs: [{ say: 'The disk is full.' }, { say: 'The phone is lost.', answer: 'Revoke.' }],
  };

  const questions = questionsOf({ ...rubric, interview });

  expect(questions.map(({ from, ask, answer }) => [from, ask, answer])).toEqual([
    ['follow-up', 'And then?', ['Mid: a', 'Senior: b', 'Staff: c']],
    ['curveball', 'The phone is lost.', ['Revoke.']],
  ]);
});

test('gives the same dates for the same ratings, later ones for better ratings', () => {
  const due = (rating: DrillRating) => schedule({ card: 'a/b', kata: 'a' }, null, rating, NOW_MS).due;

  expect(due('easy')).toBe(due('easy'));
  expect([due('again'), due('hard'), due('good'), due('easy')]).toEqual(
    [due('again'), due('hard'), due('good'), due('easy')].toSorted(),
  );
  expect(due('again')).not.toBe(due('easy'));
});

test('waits longer each time a question is known, and less once it is forgotten', () => {
  const days = (card: DrillCard, nowMs: number) => (Date.parse(card.due) - nowMs) / DAY_MS;
  const first = schedule({ card: 'a/b', kata: 'a' }, null, 'easy', NOW_MS);
  const secondMs = Date.parse(first.due);
  const second = schedule(first, first, 'good', secondMs);
  const thirdMs = Date.parse(second.due);
  const forgotten = schedule(second, second, 'again', thirdMs);

  expect(days(second, secondMs)).toBeGreaterThan(days(first, NOW_MS));
  expect(days(forgotten, thirdMs)).toBeLessThan(1);
});

test.each(['', '{}', 'null', '{"due":"never"}'])('takes a card whose record is %j for one never met', (state) => {
  const before = { ...cardDue('a/b', 0), state };

  expect(schedule(before, before, 'good', NOW_MS)).toEqual(schedule(before, null, 'good', NOW_MS));
});

test('asks what is due longest first, then what is new, and no more than the limit', () => {
  const questions = ['q/new', 'q/late', 'q/later', 'q/future'].map(question);
  const cards = [
    cardDue('q/later', -1),
    cardDue('q/late', -DAY_MS),
    cardDue('q/future', DAY_MS),
    cardDue('q/gone', -1),
  ];

  const all = choose(questions, cards, NOW_MS, 10);

  expect(all.questions.map(({ card }) => card)).toEqual(['q/late', 'q/later', 'q/new']);
  expect(all).toMatchObject({ due: 2, fresh: 1, nextDue: cardDue('q/future', DAY_MS).due });
  expect(choose(questions, cards, NOW_MS, 1).questions.map(({ card }) => card)).toEqual(['q/late']);
});

test('counts what is due by kata, to the millisecond', () => {
  const cards = [cardDue('q/a', 0), cardDue('q/b', 1), cardDue('p/c', -1)];

  expect([...dueByKata(cards, NOW_MS)]).toEqual([
    ['q', 1],
    ['p', 1],
  ]);
});

test('asks again at the end of the session what was not known', () => {
  const { history, kept } = memory();
  const session = new DrillSession(history, ['q/a', 'q/b'].map(question), () => NOW_MS);

  session.rate('no idea', session.keepAnswer(question('q/a'), 'no idea'), 'again');
  session.rate('yes', session.keepAnswer(question('q/b'), 'yes'), 'good');
  const repeated = session.next?.card;
  session.rate('now I know', session.keepAnswer(question('q/a'), 'now I know'), 'good');

  expect(repeated).toBe('q/a');
  expect(session.next).toBeUndefined();
  expect(session.asked.map(({ rating }) => rating)).toEqual(['again', 'good', 'good']);
  expect(Date.parse(kept.get('q/a')?.due ?? '')).toBeGreaterThan(NOW_MS);
});

test('remembers what was answered in a session that ended before the rating', () => {
  const { history } = memory();
  const first = new DrillSession(history, [question('q/a')], () => NOW_MS);
  first.keepAnswer(question('q/a'), 'half an answer');

  const second = new DrillSession(history, [question('q/a')], () => NOW_MS + DAY_MS);

  expect(second.unrated(question('q/a'))).toBe('half an answer');
  expect(second.unrated(question('q/b'))).toBeNull();
});

test('refuses an answers file with an unknown rating, and names the place', () => {
  const file = 'answers:\n  - { answer: yes, rating: fine }\n';

  expect(() => readDrillAnswers(file, 'a.yaml')).toThrow(
    'a.yaml: answers[0].rating: must be one of again, hard, good, easy, but is "fine".',
  );
});
