// Where a file or a directory is, as `expo-file-system` takes it.
import { asDirectory } from './file-tree.ts';

/** A uri, or what has one; behind the first part, names. */
export type Place = string | { readonly uri: string };

/** Parts put together with one slash between each: the first is a uri. */
export function uriOf(parts: readonly Place[]): string {
  const texts = parts.map((part) => (typeof part === 'string' ? part : part.uri));
  const uri = texts.map((text, n) => (n === texts.length - 1 ? text : asDirectory(text))).join('');
  if (!uri.startsWith('file:///'))
    throw new Error(
      `A file or directory needs a uri that starts with file:///, got "${uri}". Begin with Paths.document or Paths.cache.`,
    );
  return uri;
}
