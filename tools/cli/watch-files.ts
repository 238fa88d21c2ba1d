// Tells when a file was saved: once a save, however many events the editor and the system make of it.
import { readFileSync, watch } from 'node:fs';
import path from 'node:path';
import { hashText } from '../course/seal.ts';

/** Editors write in several steps within a few ms. */
const DEBOUNCE_MS = 40;

/** Watches files of one folder. `saved` gets those whose content has changed. Gives the function that ends it. */
export function watchFiles(folder: string, names: readonly string[], saved: (files: string[]) => void): () => void {
  const files = names.map((name) => path.join(folder, name));
  const hashes = new Map(files.map((file) => [file, hashOf(file)]));
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const changed = files.filter((file) => hashOf(file) !== hashes.get(file));
    for (const file of changed) hashes.set(file, hashOf(file));
    if (changed.length > 0) saved(changed);
  };
  // The folder is watched, not the file: many editors put a new file in the old one's place.
  const watcher = watch(folder, (_event, name) => {
    if (name !== null && !names.includes(name)) return;
    clearTimeout(timer);
    timer = setTimeout(look, DEBOUNCE_MS);
  });
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}

/** An empty text while a file is away: in the middle of a save, or deleted. */
function hashOf(file: string): string {
  try {
    return hashText(readFileSync(file, 'utf8'));
  } catch {
    return '';
  }
}
