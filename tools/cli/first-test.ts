/** Title of a suite's first test: the one to make green first. Null when the text has none. */
export function firstTestTitle(suite: string): string | null {
  const found = /^\s*(?:test|it)(?:\.\w+)*\(\s*(['"`])((?:\\.|(?!\1).)*)\1/m.exec(suite);
  return found?.[2]?.replaceAll(/\\(.)/g, '$1') ?? null;
}
