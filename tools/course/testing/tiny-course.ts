// A tiny course in a temporary folder, for tests of the tools.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { kataFiles } from '../kata-paths.ts';

export interface TinyCourse {
  /** Its path has a blank in it. */
  readonly root: string;
  /** Adds a kata that is whole, or replaces it. */
  add(slug: string, traits?: { readonly buildsOn?: readonly string[]; readonly tier?: 'pattern' | 'feature' }): void;
  /** Writes a file, by its path from the root. */
  write(file: string, text: string): void;
  remove(): void;
}

/** Makes a course without katas. */
export function makeTinyCourse(): TinyCourse {
  const root = mkdtempSync(join(tmpdir(), 'tiny course '));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  write('package.json', '{ "name": "tiny-course", "type": "module" }\n');
  for (const folder of ['katas', 'specs', 'rubric', 'solutions']) mkdirSync(join(root, folder));
  return {
    root,
    write,
    add(slug, { buildsOn = [], tier = 'pattern' } = {}) {
      for (const file of Object.values(kataFiles(slug))) write(file, '// as in any kata\n');
      write(kataFiles(slug).spec, tinySpec({ buildsOn, tier }));
      write(kataFiles(slug).rubric, tinyRubric(slug));
      write(kataFiles(slug).suite, `test('keeps what was saved', { tags: ['durable', 'R1'] }, () => {});\n`);
      write(kataFiles(slug).stub, 'export const stub = 1;\n');
      write(kataFiles(slug).reference, 'export const reference = 1;\n');
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** A spec with two rules and an edge case. */
export function tinySpec({ buildsOn = [] as readonly string[], tier = 'pattern' } = {}): string {
  return `---
title: Tiny kata
tier: ${tier}
minutes: ${tier === 'pattern' ? 30 : 60}
level: mid to senior
buildsOn: [${buildsOn.join(', ')}]
patterns: [durable-write]
rules:
  R1: mid
  R2: senior
  E1: senior
---

# Tiny kata

What was saved must not be lost.

## Requirements

- **R1** \`save\` resolves once the note
  is stored.
- **R2** the note is sent again; R1 still holds.

## Caching

Nothing.

## Offline & Sync Strategy

The phone holds the truth.

## Data Models

\`\`\`ts
type Note = string;
\`\`\`

## API Endpoints

| Endpoint | Answers |
| --- | --- |
| \`PUT /note\` | 200 |

## Client Implementation

One value.

## Edge Cases

- **E1** killed in the middle.
`;
}

/** A rubric that judges all of the tiny spec. */
export function tinyRubric(slug: string): string {
  return `kata: ${slug}
version: 1
bar: 70
criteria:
  - id: durable
    title: What is saved survives
    dimension: correctness
    level: mid
    points: 40
    spec: [R1]
    invariants: [keeps]
    hints: [first nudge, second nudge, third nudge]
  - id: delivered
    title: The server gets it
    dimension: resilience
    level: senior
    points: 40
    spec: [R2, E1]
    budgets: [requests]
    hints: [a nudge, a push, a shove]
  - id: tidy
    title: Readable
    dimension: code quality
    level: mid
    points: 20
    spec: [R1]
    checks: [type-check]
    hints: [read it, name it, cut it]
interview:
  family: queue
  opening: Saving must feel instant. How?
  clarifications:
    - { ask: How large is a note?, answer: A line of text. }
  followUps:
    - { ask: And then?, mid: a, senior: b, staff: c, answer: It is sent again. }
  curveballs:
    - { say: The disk is full., answer: Then it says so. }
  redFlags: [Keeps it in memory only.]
  signals: { mid: a, senior: b, staff: c }
  model: { requirements: Notes survive., highLevel: A disk and a sender., deepDive: Kill it at each line., tradeOffs: One value. }
`;
}
