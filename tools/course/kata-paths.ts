// Where each file of a kata is.
import { join } from 'node:path';

/** The files every kata has, by what they are; paths from the course's root, with forward slashes. */
export function kataFiles(slug: string) {
  return {
    spec: `specs/${slug}.md`,
    rubric: `rubric/${slug}.yaml`,
    contract: `katas/${slug}/contract.ts`,
    stub: `katas/${slug}/stub.ts`,
    backend: `katas/${slug}/backend.ts`,
    suite: `katas/${slug}/suite.test.ts`,
    scenario: `katas/${slug}/scenario.ts`,
    mistakes: `katas/${slug}/mistakes.ts`,
    reference: `solutions/${slug}/index.ts`,
    alternative: `solutions/${slug}/alternative.ts`,
    notes: `solutions/${slug}/notes.md`,
  };
}

/** Absolute paths: the files every kata has, and those that come with use. */
export type KataPaths = Readonly<
  Record<keyof ReturnType<typeof kataFiles> | 'folder' | 'attempt' | 'attempts' | 'seal' | 'verified', string>
>;

/** Absolute paths of a kata's files, whether they exist or not. */
export function kataPaths(root: string, slug: string): KataPaths {
  const files = kataFiles(slug);
  const folder = join(root, 'katas', slug);
  return {
    folder,
    spec: join(root, files.spec),
    rubric: join(root, files.rubric),
    contract: join(root, files.contract),
    stub: join(root, files.stub),
    backend: join(root, files.backend),
    suite: join(root, files.suite),
    scenario: join(root, files.scenario),
    mistakes: join(root, files.mistakes),
    reference: join(root, files.reference),
    alternative: join(root, files.alternative),
    notes: join(root, files.notes),
    attempt: join(folder, 'attempt.ts'),
    attempts: join(folder, 'attempts'),
    seal: join(folder, 'seal.json'),
    verified: join(folder, 'verified.json'),
  };
}
