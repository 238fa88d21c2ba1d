import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sampleStory } from './sample-story.ts';
import { renderSvgDiagram } from './svg-diagram.ts';

test('keeps the diagram of the README as the code draws it', () => {
  const kept = readFileSync(new URL('./sample-story.svg', import.meta.url), 'utf8');

  // When this fails after a change of the diagram: node tools/grader/render/write-generated.ts
  expect(kept.trimEnd()).toBe(renderSvgDiagram(sampleStory).trimEnd());
});
