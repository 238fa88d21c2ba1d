import type { FileEffects } from './file-effects.ts';
import { contentOf, type FileTree, joined } from './file-tree.ts';

/** Structural subset of `expo-file-system`'s `FileHandle`: parts of a file, from `offset` on. */
export interface FileHandle {
  /** In bytes; moved on by each read and write. May be set. Null once closed. */
  offset: number | null;
  readonly size: number | null;
  /** Up to so many bytes; fewer at the end of the file, none behind it. */
  readBytes(length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** A kill in the middle leaves the first part of them. */
  writeBytes(bytes: Uint8Array): Promise<void>;
  close(): void;
}

export function createFileHandle(effects: FileEffects, tree: FileTree, uri: string): FileHandle {
  contentOf(tree, uri);
  let offset: number | null = 0;

  /** Where a call begins; the next one begins behind it, whether or not this one is done. */
  function advance(what: string, lengthBytes: number): number {
    if (offset === null) throw new Error(`Unable to ${what} a file handle: the handle of ${uri} is closed`);
    const at = offset;
    offset = at + lengthBytes;
    return at;
  }

  return {
    get offset() {
      return offset;
    },
    set offset(value) {
      offset = value;
    },
    get size() {
      return offset === null ? null : (tree.read(uri)?.length ?? 0);
    },
    readBytes: async (length) => {
      const size = tree.read(uri)?.length ?? 0;
      const at = advance('read from', Math.max(0, Math.min(length, size - (offset ?? 0))));
      return effects.read('file.readBytes', uri, `${at}+${length}`, () => {
        const part = contentOf(tree, uri).slice(at, at + length);
        tree.reads.push({ uri, offset: at, sizeBytes: part.length });
        return part as Uint8Array<ArrayBuffer>;
      });
    },
    writeBytes: async (bytes) => {
      const own = bytes.slice();
      const at = advance('write to', own.length);
      return effects.write('file.writeBytes', uri, own.length, (writtenBytes) => {
        const old = contentOf(tree, uri);
        const before = joined(old.slice(0, at), own.subarray(0, writtenBytes));
        tree.write(uri, joined(before, old.slice(before.length)));
      });
    },
    close: () => {
      offset = null;
    },
  };
}
