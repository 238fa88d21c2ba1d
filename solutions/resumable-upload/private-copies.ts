// The app's own copies of picked files: the OS may clear the picker's place at any time.
import type { Device, Directory, File } from '#phone';

export interface PrivateCopies {
  /** The copy of that name, whether it is there or not. */
  file(name: string): File;
  /** Copies a picked file. What a failure leaves behind is the caller's to remove. */
  keep(uri: string, name: string): Promise<File>;
  /** Removes a copy if it can; else the next `removeOrphans` does. */
  remove(name: string): void;
  /** Removes what a kill has left: all copies but those that are still needed. */
  removeOrphans(needed: ReadonlySet<string>): void;
  /** Removes all of them. Throws when the file system fails. */
  clear(): void;
}

/** One folder among the app's documents. Each copy has one owner, who names and removes it. */
export function createPrivateCopies({ fileSystem }: Device, folderName: string): PrivateCopies {
  const folder: Directory = new fileSystem.Directory(fileSystem.Paths.document, folderName);
  const file = (name: string): File => new fileSystem.File(folder, name);

  function remove(name: string): void {
    try {
      const copy = file(name);
      if (copy.exists) copy.delete();
    } catch {
      // A file system that fails now may do better at the next launch.
    }
  }

  return {
    file,
    async keep(uri, name) {
      if (!folder.exists) folder.create();
      const copy = file(name);
      await new fileSystem.File(uri).copy(copy, { overwrite: true });
      return copy;
    },
    remove,
    removeOrphans(needed) {
      if (!folder.exists) return;
      for (const { name } of folder.list()) if (!needed.has(name)) remove(name);
    },
    clear() {
      if (folder.exists) folder.delete();
    },
  };
}

/** One slice in memory, and no more of the file. */
export async function readSlice(file: File, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const handle = file.open();
  handle.offset = offset;
  try {
    return await handle.readBytes(length);
  } finally {
    handle.close();
  }
}
