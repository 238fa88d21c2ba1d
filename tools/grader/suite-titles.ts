/** A test as it stands in a suite's text. */
export interface SuiteTitle {
  readonly name: string;
  readonly tags: readonly string[];
}

const TEST = /^test\(\s*(['"])((?:\\.|(?!\1).)*)\1\s*,\s*\{\s*tags:\s*\[([^\]]*)\]/gm;

/**
 * The tests of a suite, read from its text, in order: known before it runs, and even when it cannot.
 * Holds for suites as katas write them: flat, `test('title', { tags: ['criterion', 'R1'] }, …)`. `kata verify` compares.
 */
export function suiteTitles(source: string): SuiteTitle[] {
  return [...source.matchAll(TEST)].map(([, , title = '', tags = '']) => ({
    name: title.replace(/\\(.)/g, '$1'),
    tags: [...tags.matchAll(/['"]([^'"]+)['"]/g)].map(([, tag = '']) => tag),
  }));
}
