// What a module imports by a relative path: to follow it, or to make it mean the same from another folder.
import path from 'node:path';

/** `from './a.ts'`, `import './a.ts'` and `import('./a.ts')`. */
const RELATIVE = /((?:from|import)\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\2/g;
/** The beginning of a line whose rest is a comment. */
const COMMENT = /^\s*\/?\*|\/\//;

/** The paths, each once, in the order of the text. What stands in a comment is no import. */
export function relativeImports(text: string): string[] {
  const found = [...text.matchAll(RELATIVE)].filter(
    ({ index }) => !COMMENT.test(text.slice(text.lastIndexOf('\n', index) + 1, index)),
  );
  return [...new Set(found.map(([, , , target = '']) => target))];
}

/** The text with other paths in the place of these. */
export function replaceImports(text: string, replace: (target: string) => string): string {
  return text.replace(
    RELATIVE,
    (_all, before: string, quote: string, target: string) => `${before}${quote}${replace(target)}${quote}`,
  );
}

/** Made to mean the same from another folder; both are absolute. */
export const moveImports = (text: string, from: string, to: string): string =>
  replaceImports(text, (target) => relativePath(to, path.resolve(from, target)));

/** The path of a file as a module in a folder imports it. */
export function relativePath(folder: string, file: string): string {
  const relative = path.relative(folder, file).split(path.sep).join('/');
  return relative.startsWith('../') ? relative : `./${relative}`;
}
