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

/** A handle of one launch. Its accessors are the class's: see `boundTo` for what an object's own would cost. */
export class DeviceFileHandle implements FileHandle {
  readonly #effects: FileEffects;
  readonly #tree: FileTree;
  readonly #uri: string;
  offset: number | null = 0;

  constructor(effects: FileEffects, tree: FileTree, uri: string) {
    contentOf(tree, uri);
    this.#effects = effects;
    this.#tree = tree;
    this.#uri = uri;
  }

  get size(): number | null {
    return this.offset === null ? null : this.#sizeBytes();
  }

  #sizeBytes(): number {
    return this.#tree.read(this.#uri)?.length ?? 0;
  }

  /** Where a call begins; the next one begins behind it, whether or not this one is done. */
  #advance(what: string, lengthBytes: number): number {
    const { offset } = this;
    if (offset === null) throw new Error(`Unable to ${what} a file handle: the handle of ${this.#uri} is closed`);
    this.offset = offset + lengthBytes;
    return offset;
  }

  async readBytes(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const tree = this.#tree;
    const uri = this.#uri;
    const left = this.#sizeBytes() - (this.offset ?? 0);
    const at = this.#advance('read from', Math.max(0, Math.min(length, left)));
    return this.#effects.read('file.readBytes', uri, `${at}+${length}`, () => {
      const part = contentOf(tree, uri).slice(at, at + length);
      tree.reads.push({ uri, offset: at, sizeBytes: part.length });
      return part as Uint8Array<ArrayBuffer>;
    });
  }

  async writeBytes(bytes: Uint8Array): Promise<void> {
    const tree = this.#tree;
    const uri = this.#uri;
    const own = bytes.slice();
    const at = this.#advance('write to', own.length);
    return this.#effects.write('file.writeBytes', uri, own.length, (writtenBytes) => {
      const old = contentOf(tree, uri);
      const before = joined(old.slice(0, at), own.subarray(0, writtenBytes));
      tree.write(uri, joined(before, old.slice(before.length)));
    });
  }

  close(): void {
    this.offset = null;
  }
}
