import { expect, test } from 'vitest';
import { hostileStory, sampleEvent, sampleStory, sampleTwoPhones } from './sample-story.ts';
import { renderSvgDiagram } from './svg-diagram.ts';

const count = (text: string, part: string | RegExp) => text.split(part).length - 1;

test('is an image with a title and a description in words', () => {
  const svg = renderSvgDiagram(sampleStory);

  expect(svg).toMatch(/^<svg [^>]*role="img"/);
  expect(svg).toContain('<title>The change &quot;a&quot; of entity 1 was applied twice');
  expect(svg).toMatch(/<desc>0\.000 s: LAUNCHED: first start.*key b94d/);
});

test('ends a lost message in a cross and an arriving one in a head', () => {
  const svg = renderSvgDiagram(sampleStory);

  expect(count(svg, 'class="cross lost"')).toBe(1);
  expect(count(svg, 'class="message lost"')).toBe(1);
  expect(count(svg, 'class="head"')).toBe(5);
});

test('breaks the lane at a kill, shades the offline stretch and rings the first violation', () => {
  const svg = renderSvgDiagram(sampleStory);

  expect(count(svg, 'class="lane"')).toBe(5);
  expect(count(svg, 'class="cross kill"')).toBe(1);
  expect(count(svg, 'class="offline"')).toBe(1);
  expect(count(svg, 'class="ring"')).toBe(1);
});

test('leaves the lane open and the shade unfinished when neither launch nor signal comes back', () => {
  const events = [
    sampleEvent({ atMs: 1, lane: 'network', text: 'offline', mark: 'offline' }),
    sampleEvent({ atMs: 2, lane: 'app', text: 'killed', mark: 'kill' }),
    sampleEvent({ atMs: 3, lane: 'server', text: 'later' }),
  ];

  const svg = renderSvgDiagram({ ...sampleStory, events });

  expect(count(svg, 'class="lane"')).toBe(4);
  expect(count(svg, 'class="offline"')).toBe(1);
});

test('slants a message down from its sending to its arrival', () => {
  const svg = renderSvgDiagram(sampleTwoPhones);

  const [first] = svg.matchAll(/class="message" x1="\S+" y1="(\S+)" x2="\S+" y2="(\S+)"/g);

  expect(Number(first?.[2])).toBeGreaterThan(Number(first?.[1]) + 40);
});

test('draws a message that takes no time level', () => {
  const write = sampleEvent({ atMs: 5, lane: 'app', to: 'storage', arrivesAtMs: 5, text: 'setItem a' });

  const svg = renderSvgDiagram({ ...sampleStory, events: [write] });

  expect(svg).toMatch(/class="message" x1="\S+" y1="(\S+)" x2="\S+" y2="\1"/);
});

test('has lanes for each phone and one for the server', () => {
  const svg = renderSvgDiagram(sampleTwoPhones);

  expect([count(svg, '>app</text>'), count(svg, '>server</text>'), count(svg, '>phone 2</text>')]).toEqual([2, 1, 1]);
});

test('escapes hostile text and leaves out control characters', () => {
  const svg = renderSvgDiagram(hostileStory);

  expect(svg).not.toContain('<script>');
  expect(svg).not.toContain('\u001b');
  expect(svg).toContain('&lt;script&gt;');
});

test('wraps a label instead of letting it run out of the drawing', () => {
  const text = 'word '.repeat(40).trim();

  const svg = renderSvgDiagram({ ...sampleStory, events: [sampleEvent({ atMs: 1, lane: 'app', text })] });

  expect(count(svg, 'class="label')).toBeGreaterThan(3);
});

test('draws a story without events', () => {
  expect(renderSvgDiagram({ ...sampleStory, events: [] })).toMatch(/^<svg [\s\S]*<\/svg>$/);
});
