import { byteLength } from './byte-length.ts';
import { DeviceDirectory } from './device-directory.ts';
import { DeviceFileHandle, type FileHandle } from './file-handle.ts';
import type { Directory, File, FileDigestAlgorithm } from './file-system.ts';
import { contentOf, digestOf, type FileTree, joined, nameOf, parentOf, requireParent } from './file-tree.ts';
import { DeviceUploadTask, type UploadOptions, type UploadResult, type UploadTask } from './file-upload.ts';
import type { LaunchFiles } from './launch-files.ts';
import { type Place, uriOf } from './place.ts';

/** A file of one launch. */
export class DeviceFile implements File {
  uri: string;
  readonly #files: LaunchFiles;

  constructor(files: LaunchFiles, ...parts: Place[]) {
    this.#files = files;
    this.uri = uriOf(parts);
  }

  get name(): string {
    return nameOf(this.uri);
  }

  get exists(): boolean {
    return this.#files.tree.read(this.uri) !== undefined;
  }

  get size(): number {
    return this.#files.tree.read(this.uri)?.length ?? 0;
  }

  get md5(): string | null {
    const bytes = this.#files.tree.read(this.uri);
    return bytes ? digestOf(bytes, 'md5') : null;
  }

  get parentDirectory(): Directory {
    return this.#files.directory(parentOf(this.uri));
  }

  async text(): Promise<string> {
    return this.#whole('file.text', (bytes) => Buffer.from(bytes).toString('utf8'));
  }

  async base64(): Promise<string> {
    return this.#whole('file.base64', (bytes) => Buffer.from(bytes).toString('base64'));
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#whole('file.bytes', (bytes) => new Uint8Array(bytes));
  }

  #whole<T>(call: string, as: (bytes: Uint8Array) => T): Promise<T> {
    return this.#files.effects.read(call, this.uri, '', () => {
      const bytes = contentOf(this.#files.tree, this.uri);
      this.#files.tree.reads.push({ uri: this.uri, offset: 0, sizeBytes: bytes.length });
      return as(bytes);
    });
  }

  async digest(algorithm: FileDigestAlgorithm): Promise<string> {
    const name = algorithm.toLowerCase().replace('-', '');
    return this.#files.effects.read('file.digest', this.uri, '', () =>
      digestOf(contentOf(this.#files.tree, this.uri), name),
    );
  }

  async write(
    content: string | Uint8Array | ArrayBuffer,
    { encoding = 'utf8', append = false }: { encoding?: 'utf8' | 'base64'; append?: boolean } = {},
  ): Promise<void> {
    const bytes = bytesOf(content, encoding);
    const { uri } = this;
    return this.#files.effects.write('file.write', uri, bytes.length, (writtenBytes) => {
      requireParent(this.#files.tree, uri, 'write a file', false);
      const before = append ? (this.#files.tree.read(uri) ?? new Uint8Array()) : new Uint8Array();
      this.#files.tree.write(uri, joined(before, bytes.subarray(0, writtenBytes)));
    });
  }

  create({ intermediates = false, overwrite = false } = {}): void {
    this.#files.effects.writeNow('file.create', this.uri, () => {
      if (this.exists && !overwrite) throw new Error(`Unable to create file or directory: ${this.uri} already exists`);
      requireParent(this.#files.tree, this.uri, 'create file or directory', intermediates);
      this.#files.tree.write(this.uri, new Uint8Array());
    });
  }

  async copy(destination: File | Directory, { overwrite = false } = {}): Promise<void> {
    const to = this.#destination(destination);
    return this.#files.effects.write('file.copy', to, this.size, (writtenBytes) => {
      const bytes = contentOf(this.#files.tree, this.uri);
      requireFree(this.#files.tree, to, overwrite);
      this.#files.tree.write(to, writtenBytes === bytes.length ? bytes : bytes.slice(0, writtenBytes));
    });
  }

  async move(destination: File | Directory, { overwrite = false } = {}): Promise<void> {
    const to = this.#destination(destination);
    await this.#files.effects.write('file.move', to, 0, () => {
      contentOf(this.#files.tree, this.uri);
      requireFree(this.#files.tree, to, overwrite);
      if (to !== this.uri) this.#files.tree.remove(to);
      this.#files.tree.move(this.uri, to);
    });
    this.uri = to;
  }

  #destination(destination: File | Directory): string {
    return destination instanceof DeviceDirectory ? destination.uri + this.name : destination.uri;
  }

  delete(): void {
    this.#files.effects.writeNow('file.delete', this.uri, () => {
      if (!this.exists) throw new Error(`Unable to delete file or directory: ${this.uri} does not exist`);
      this.#files.tree.remove(this.uri);
    });
  }

  open(): FileHandle {
    return new DeviceFileHandle(this.#files.effects, this.#files.tree, this.uri);
  }

  upload(url: string, options?: UploadOptions): Promise<UploadResult> {
    return this.createUploadTask(url, options).uploadAsync();
  }

  createUploadTask(url: string, options?: UploadOptions): UploadTask {
    return new DeviceUploadTask(this.#files.host, this.#files.tree, this.uri, url, options);
  }
}

function requireFree(tree: FileTree, to: string, overwrite: boolean): void {
  requireParent(tree, to, 'copy or move a file', false);
  if (!overwrite && tree.read(to))
    throw new Error(`Destination already exists: ${to}. Pass { overwrite: true }, or delete it.`);
}

function bytesOf(content: string | Uint8Array | ArrayBuffer, encoding: 'utf8' | 'base64'): Uint8Array {
  if (typeof content === 'string')
    return encoding === 'utf8' && byteLength(content) === 0
      ? new Uint8Array()
      : new Uint8Array(Buffer.from(content, encoding));
  // What the app does to its array afterwards is not on the disk.
  return new Uint8Array(content instanceof ArrayBuffer ? content.slice(0) : content);
}
