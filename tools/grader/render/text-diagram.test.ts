import { expect, test } from 'vitest';
import { columnsOf, type Look } from '../../terminal/look.ts';
import { hostileStory, sampleEvent, sampleStory, sampleTwoPhones } from './sample-story.ts';
import { renderTextDiagram } from './text-diagram.ts';

const plain = (width: number): Look => ({ width, colour: false });
const linesOf = (text: string) => text.split('\n');
const lineWith = (text: string, words: string) => linesOf(text).find((line) => line.includes(words)) ?? '';
const storyOf = (...events: Parameters<typeof sampleEvent>[0][]) => ({
  ...sampleStory,
  events: events.map(sampleEvent),
});

test.each([40, 61, 62, 80, 100])('keeps every line within %i columns', (width) => {
  const widest = Math.max(...linesOf(renderTextDiagram(hostileStory, plain(width))).map(columnsOf));

  expect(widest).toBeLessThanOrEqual(width);
});

test('tells the events in order of time, however they are written', () => {
  const story = storyOf({ atMs: 20, lane: 'app', text: 'second' }, { atMs: 10, lane: 'server', text: 'first' });

  const text = renderTextDiagram(story, plain(80));

  expect(text.indexOf('first')).toBeLessThan(text.indexOf('second'));
});

test('ends a lost answer in a cross on the network lane', () => {
  const text = renderTextDiagram(sampleStory, plain(100));

  const cross = lineWith(text, 'version 1: lost').indexOf('✗');

  expect(cross).toBe((linesOf(text)[0] ?? '').indexOf('network') + 1);
});

test('ends a lost message in a cross where there is no room for lanes', () => {
  expect(lineWith(renderTextDiagram(sampleStory, plain(40)), '0.169 s')).toContain('server ─✗ app');
});

test('breaks the lane of the app from a kill to the launch', () => {
  const story = storyOf(
    { atMs: 1, lane: 'app', text: 'killed during a write', mark: 'kill' },
    { atMs: 2, lane: 'server', text: 'meanwhile' },
    { atMs: 3, lane: 'app', text: 'launched again', mark: 'launch' },
    { atMs: 4, lane: 'server', text: 'afterwards' },
  );

  const text = renderTextDiagram(story, plain(80));

  expect(lineWith(text, 'KILLED during a write')).toContain('╳');
  expect(lineWith(text, 'LAUNCHED again')).toContain('┬');
  expect(lineWith(text, 'meanwhile').match(/│/g)).toHaveLength(2);
  expect(lineWith(text, 'afterwards').match(/│/g)).toHaveLength(3);
});

test('marks each line while the phone is offline', () => {
  const text = renderTextDiagram(sampleStory, plain(100));

  expect(lineWith(text, 'KILLED')).toContain('░');
  expect(lineWith(text, 'getItem')).toContain('░');
  expect(lineWith(text, 'b94d')).not.toContain('░');
});

test('points at the first violation only', () => {
  const again = sampleEvent({ atMs: 30_000, lane: 'server', text: 'and again', mark: 'violation' });
  const text = renderTextDiagram({ ...sampleStory, events: [...sampleStory.events, again] }, plain(100));

  expect(linesOf(text).filter((line) => line.startsWith('>>'))).toEqual([lineWith(text, 'the key is new')]);
});

test('says when a message arrives that something else overtakes', () => {
  const text = renderTextDiagram(sampleTwoPhones, plain(100));

  expect(text).toContain('phone 1: PUT /records/1, "a", arrives at 0.090');
  expect(text).not.toContain('"b", arrives');
});

test('uses no colour codes unless the look has colour', () => {
  expect(renderTextDiagram(hostileStory, plain(80))).not.toContain('\u001b');
  expect(renderTextDiagram(sampleStory, { width: 80, colour: true })).toContain('\u001b[');
});
