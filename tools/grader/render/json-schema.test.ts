import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { report } from '../report.ts';
import { JSON_SCHEMA_FILE, reportJsonSchema } from './json-schema.ts';
import { hostileReport, incompleteReport, notGradableReport, passedReport, sampleReport } from './sample-report.ts';

test('keeps the schema file current', async () => {
  const file = await readFile(JSON_SCHEMA_FILE, 'utf8');

  expect(file, 'Run: node tools/grader/render/write-generated.ts').toBe(reportJsonSchema());
});

test('describes reports that may grow', () => {
  expect(JSON.parse(reportJsonSchema())).not.toHaveProperty('additionalProperties');
});

test.each(Object.entries({ sampleReport, hostileReport, notGradableReport, incompleteReport, passedReport }))(
  'has %s as a valid sample',
  (_, sample) => {
    expect(report.parse(sample)).toEqual(sample);
  },
);
