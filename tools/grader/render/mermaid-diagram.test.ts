import { expect, test } from 'vitest';
import { renderMermaidDiagram } from './mermaid-diagram.ts';
import { hostileStory, sampleStory, sampleTwoPhones } from './sample-story.ts';

test('draws a lost message with a cross, and others with a head', () => {
  const text = renderMermaidDiagram(sampleStory);

  expect(text).toContain('server-xapp1: 0.169 s 201, version 1: lost');
  expect(text).toContain('app1->>server: 0.124 s 1st POST');
});

test('notes kills, launches and the network', () => {
  const text = renderMermaidDiagram(sampleStory);

  expect(text).toContain('Note over app1: 10.310 s KILLED');
  expect(text).toContain('Note over app1: 14.310 s LAUNCHED');
  expect(text).toContain('Note over network1: 10.124 s offline');
});

test('has participants for each phone', () => {
  expect(renderMermaidDiagram(sampleTwoPhones)).toContain('participant app2 as app 2');
});

test('lets nothing in a text end a statement, begin an entity or close a block', () => {
  const lines = renderMermaidDiagram(hostileStory).split('\n');
  const texts = lines.filter((line) => line.includes('script')).map((line) => line.slice(line.indexOf(':')));

  expect(lines).toHaveLength(1 + 4 + hostileStory.events.length);
  expect(texts).toHaveLength(hostileStory.events.length);
  for (const text of texts) expect(text.replace(/#\d+;/g, '')).not.toMatch(/[;#<>`]|\bend\b/);
});
