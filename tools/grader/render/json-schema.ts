// The report's shape as JSON Schema, for tools that read `kata grade --json`.
import { z } from 'zod';
import { report } from '../report.ts';

/** Where the schema is kept, beside the shape it is made from. */
export const JSON_SCHEMA_FILE = new URL('../report.schema.json', import.meta.url);

/** The JSON Schema as the text of its file. Reports grow by addition, so unknown properties are allowed. */
export function reportJsonSchema(): string {
  const { $schema, ...shape } = z.toJSONSchema(report, { io: 'input' });
  const named = {
    $schema,
    title: 'Airplane Mode grade report',
    description: 'What `kata grade --json` prints. Within a schemaVersion it grows only by addition.',
    ...shape,
  };
  return `${JSON.stringify(named, null, 2)}\n`;
}
