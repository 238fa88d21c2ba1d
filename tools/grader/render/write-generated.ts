// Writes the files that are made from code and committed: the report's JSON Schema and the README's diagram.
import { writeFileSync } from 'node:fs';
import { JSON_SCHEMA_FILE, reportJsonSchema } from './json-schema.ts';
import { sampleStory } from './sample-story.ts';
import { renderSvgDiagram } from './svg-diagram.ts';

writeFileSync(JSON_SCHEMA_FILE, reportJsonSchema());
writeFileSync(new URL('./sample-story.svg', import.meta.url), `${renderSvgDiagram(sampleStory)}\n`);
