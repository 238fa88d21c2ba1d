// Structural subset of `expo-file-system` (58): files and directories of one launch.
import { boundTo } from './bound-class.ts';
import { DeviceDirectory } from './device-directory.ts';
import { DeviceFile } from './device-file.ts';
import type { Disk } from './disk.ts';
import { createFileEffects } from './file-effects.ts';
import type { FileHandle } from './file-handle.ts';
import { CACHE_URI, DOCUMENTS_URI } from './file-tree.ts';
import type { UploadOptions, UploadResult, UploadTask } from './file-upload.ts';
import type { EffectHost } from './host.ts';
import type { LaunchFiles } from './launch-files.ts';
import type { Place } from './place.ts';

export type FileDigestAlgorithm = 'MD5' | 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512';

/** A file's place, whether or not there is a file. Asking for its size or existence costs nothing and never fails. */
export interface File {
  /** Changes when the file is moved. */
  readonly uri: string;
  readonly name: string;
  readonly exists: boolean;
  /** In bytes; 0 when there is no file. */
  readonly size: number;
  readonly md5: string | null;
  readonly parentDirectory: Directory;
  text(): Promise<string>;
  base64(): Promise<string>;
  /** The whole content, in memory. For parts, see `open`. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** Of the whole content, in hex. Computed on the device's side, without the content in the app's memory. */
  digest(algorithm: FileDigestAlgorithm): Promise<string>;
  /** Puts this content there, in place of the old one unless `append`. A kill in the middle leaves its first part. */
  write(
    content: string | Uint8Array | ArrayBuffer,
    options?: { readonly encoding?: 'utf8' | 'base64'; readonly append?: boolean },
  ): Promise<void>;
  create(options?: { readonly intermediates?: boolean; readonly overwrite?: boolean }): void;
  /** A kill in the middle leaves its first part. Into a directory: under the same name. */
  copy(destination: File | Directory, options?: { readonly overwrite?: boolean }): Promise<void>;
  /** At once or not at all. */
  move(destination: File | Directory, options?: { readonly overwrite?: boolean }): Promise<void>;
  /** Throws when there is no file. */
  delete(): void;
  /** For reading and writing parts. Throws when there is no file. */
  open(): FileHandle;
  /** Sends the whole file as a request's body. See `UploadTask`. */
  upload(url: string, options?: UploadOptions): Promise<UploadResult>;
  createUploadTask(url: string, options?: UploadOptions): UploadTask;
}

export interface Directory {
  readonly uri: string;
  readonly name: string;
  readonly exists: boolean;
  /** Throws when it exists, unless `idempotent`; when its parent does not, unless `intermediates`. */
  create(options?: { readonly intermediates?: boolean; readonly idempotent?: boolean }): void;
  /** With everything in it. Throws when it does not exist. */
  delete(): void;
  list(): (File | Directory)[];
}

export interface FileSystem {
  readonly File: new (...parts: Place[]) => File;
  readonly Directory: new (...parts: Place[]) => Directory;
  readonly Paths: {
    /** What stays. */
    readonly document: Directory;
    /** What the OS may clear at any time. */
    readonly cache: Directory;
    /** In bytes. */
    readonly availableDiskSpace: number;
  };
}

/** The module for one launch. Its classes are made at first use: there are many launches, and few have files. */
export class LaunchFileSystem implements FileSystem {
  readonly #host: EffectHost;
  readonly #disk: Disk;
  #made: FileSystem | undefined;

  constructor(host: EffectHost, disk: Disk) {
    this.#host = host;
    this.#disk = disk;
  }

  get File() {
    return this.#all.File;
  }
  get Directory() {
    return this.#all.Directory;
  }
  get Paths() {
    return this.#all.Paths;
  }

  get #all(): FileSystem {
    this.#made ??= createFileSystem(this.#host, this.#disk);
    return this.#made;
  }
}

function createFileSystem(host: EffectHost, disk: Disk): FileSystem {
  const files: LaunchFiles = {
    host,
    tree: disk.files,
    effects: createFileEffects(host),
    file: (uri) => new DeviceFile(files, uri),
    directory: (uri) => new DeviceDirectory(files, uri),
  };
  return {
    File: boundTo(DeviceFile, files),
    Directory: boundTo(DeviceDirectory, files),
    Paths: new DevicePaths(files, disk),
  };
}

class DevicePaths {
  readonly document: Directory;
  readonly cache: Directory;
  readonly #disk: Disk;

  constructor(files: LaunchFiles, disk: Disk) {
    this.document = files.directory(DOCUMENTS_URI);
    this.cache = files.directory(CACHE_URI);
    this.#disk = disk;
  }

  get availableDiskSpace(): number {
    return this.#disk.freeBytes;
  }
}
