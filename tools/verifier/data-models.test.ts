import { expect, test } from 'vitest';
import { checkDataModels } from './data-models.ts';

const CONTRACT = `import type { Device } from '#phone';

/** One note. */
export interface Note {
  readonly id: string; // its name
  readonly state: 'draft' | 'sent';
}

export type Save = (note: Note, device: Device) => Promise<void>;
`;
const check = (models: string | null) => checkDataModels('notes', models, CONTRACT);

test('finds the models of the spec in the contract, whatever the layout and the comments', () => {
  const models = `export interface Note { readonly id: string; readonly state:
    | 'draft'
    | 'sent';
}
export type Save = (
  note: Note,
  device: Device,
) => Promise<void>;`;

  expect(check(models)).toMatchObject({ isTrue: true });
});

test.each([
  ['another type', `readonly id: number;`, 'readonly id : number'],
  ['another literal', `readonly id: string; readonly state: 'draft' | 'gone';`, `'gone'`],
])('says where they part: %s', (_, fields, seen) => {
  const finding = check(`export interface Note { ${fields} }`);

  expect(finding.isTrue).toBe(false);
  expect(finding.detail).toContain('They part here: specs/notes.md has "');
  expect(finding.detail).toContain(seen);
});

test('misses what is only in the contract, or only in the spec', () => {
  const bare = CONTRACT.replace(/^import.*$/m, '');

  expect(check(bare.slice(0, bare.indexOf('export type'))).isTrue).toBe(false);
  expect(check(`${bare}\nexport type More = string;`).isTrue).toBe(false);
  expect(check(null).detail).toContain('must hold one ```ts block');
});
