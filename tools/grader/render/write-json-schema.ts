// Writes tools/grader/report.schema.json anew: `node tools/grader/render/write-json-schema.ts`.
import { writeFile } from 'node:fs/promises';
import { JSON_SCHEMA_FILE, reportJsonSchema } from './json-schema.ts';

await writeFile(JSON_SCHEMA_FILE, reportJsonSchema());
