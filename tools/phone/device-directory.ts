import type { Directory, File } from './file-system.ts';
import { asDirectory, nameOf, parentOf, requireParent } from './file-tree.ts';
import type { LaunchFiles } from './launch-files.ts';
import { type Place, uriOf } from './place.ts';

/** A directory of one launch. */
export class DeviceDirectory implements Directory {
  readonly uri: string;
  readonly #files: LaunchFiles;

  constructor(files: LaunchFiles, ...parts: Place[]) {
    this.#files = files;
    this.uri = asDirectory(uriOf(parts));
  }

  get name(): string {
    return nameOf(this.uri);
  }

  get exists(): boolean {
    return this.#files.tree.hasDirectory(this.uri);
  }

  create({ intermediates = false, idempotent = false } = {}): void {
    this.#files.effects.writeNow('directory.create', this.uri, () => {
      if (this.exists && !idempotent) throw new Error(`Unable to create file or directory: ${this.uri} already exists`);
      requireParent(this.#files.tree, this.uri, 'create file or directory', intermediates);
      this.#files.tree.makeDirectory(this.uri);
    });
  }

  delete(): void {
    this.#files.effects.writeNow('directory.delete', this.uri, () => {
      if (!this.exists) throw new Error(`Unable to delete file or directory: ${this.uri} does not exist`);
      this.#files.tree.remove(this.uri);
    });
  }

  list(): (File | Directory)[] {
    const files = this.#files.tree.list(this.uri).filter((uri) => parentOf(uri) === this.uri);
    const directories = this.#files.tree.directoriesIn(this.uri);
    return [...directories.map((uri) => this.#files.directory(uri)), ...files.map((uri) => this.#files.file(uri))];
  }
}
