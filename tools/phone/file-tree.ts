// The files on a phone's disk. Contents are never changed in place, so that copies share them and cost nothing.
import { createHash } from 'node:crypto';

/** Where an app keeps what it must not lose. Ends in a slash. */
export const DOCUMENTS_URI = 'file:///app/Documents/';
/** Where an app keeps what it can make again; pickers and cameras put their files here. The OS may empty it at any time. */
export const CACHE_URI = 'file:///app/Library/Caches/';

/** Room on a disk, in bytes: shared by all that is stored on it. */
export interface Room {
  freeBytes: number;
}

/** One read of a file's content into the app's memory. */
export interface FileRead {
  readonly uri: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Files by uri, directories by uri with a slash at the end. */
export class FileTree {
  readonly #room: Room;
  readonly #files = new Map<string, Uint8Array>();
  readonly #directories = new Set([DOCUMENTS_URI, CACHE_URI]);
  /** What the app has read into its memory, in order, over all launches. A digest reads nothing into it. */
  readonly reads: FileRead[] = [];

  constructor(room: Room) {
    this.#room = room;
  }

  /** The content, or undefined. Not to be changed. */
  read(uri: string): Uint8Array | undefined {
    return this.#files.get(uri);
  }

  /** Puts a file there, in place of an old one. The bytes are taken over, not copied. Directories above it are made. */
  write(uri: string, bytes: Uint8Array): void {
    this.#room.freeBytes += (this.#files.get(uri)?.length ?? 0) - bytes.length;
    this.#files.set(uri, bytes);
    this.makeDirectory(parentOf(uri));
  }

  /** Overwrites a file by hand, with text. */
  set(uri: string, text: string): void {
    this.write(uri, new TextEncoder().encode(text));
  }

  /** Removes a file, or a directory with all in it. */
  remove(uri: string): void {
    for (const file of this.list(uri)) {
      this.#room.freeBytes += this.#files.get(file)?.length ?? 0;
      this.#files.delete(file);
    }
    for (const directory of [...this.#directories]) {
      if (directory.startsWith(asDirectory(uri)) && !isRoot(directory)) this.#directories.delete(directory);
    }
  }

  /** Gives a file, or a directory with all in it, another name. */
  move(from: string, to: string): void {
    for (const file of this.list(from)) {
      const bytes = this.#files.get(file) ?? new Uint8Array();
      this.#files.delete(file);
      this.#files.set(to + file.slice(from.length), bytes);
    }
    for (const directory of [...this.#directories]) {
      if (!directory.startsWith(asDirectory(from)) || isRoot(directory)) continue;
      this.#directories.delete(directory);
      this.#directories.add(asDirectory(to) + directory.slice(asDirectory(from).length));
    }
    this.makeDirectory(parentOf(to));
  }

  makeDirectory(uri: string): void {
    for (let at = asDirectory(uri); !this.#directories.has(at) && at.length > 'file:///'.length; at = parentOf(at)) {
      this.#directories.add(at);
    }
  }

  hasDirectory(uri: string): boolean {
    return this.#directories.has(asDirectory(uri));
  }

  /** Uris of all files under a directory, or of the one file; of all files there are, when none is given. Sorted. */
  list(uri = 'file:///'): string[] {
    if (this.#files.has(uri)) return [uri];
    return [...this.#files.keys()].filter((file) => file.startsWith(asDirectory(uri))).sort();
  }

  /** Uris of the directories right below a directory. Sorted. */
  directoriesIn(uri: string): string[] {
    return [...this.#directories]
      .filter((directory) => directory !== asDirectory(uri) && parentOf(directory) === asDirectory(uri))
      .sort();
  }

  /** SHA-256 of a content, in hex; undefined when there is no such file. */
  sha256(uri: string): string | undefined {
    const bytes = this.read(uri);
    return bytes && digestOf(bytes, 'sha256');
  }

  /** All files and directories are gone, as after an uninstall. */
  clear(): void {
    this.remove(DOCUMENTS_URI);
    this.remove(CACHE_URI);
    this.remove('file:///');
  }
}

/** The content of a file there must be. */
export function contentOf(tree: FileTree, uri: string): Uint8Array {
  const bytes = tree.read(uri);
  if (!bytes) throw new Error(`Unable to read a file: ${uri} does not exist`);
  return bytes;
}

/** Throws unless the directory above a place exists, or is to be made with it. */
export function requireParent(tree: FileTree, uri: string, what: string, intermediates: boolean): void {
  if (intermediates || tree.hasDirectory(parentOf(uri))) return;
  throw new Error(`Unable to ${what}: the directory ${parentOf(uri)} does not exist. Create it first.`);
}

/** One content after another. */
export function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

const digests = new WeakMap<Uint8Array, Map<string, string>>();

/** A digest of a content that is never changed, in hex: computed once, however many copies and runs there are. */
export function digestOf(bytes: Uint8Array, algorithm: string): string {
  let known = digests.get(bytes);
  if (!known) {
    known = new Map();
    digests.set(bytes, known);
  }
  let digest = known.get(algorithm);
  if (digest === undefined) {
    digest = createHash(algorithm).update(bytes).digest('hex');
    known.set(algorithm, digest);
  }
  return digest;
}

const planted = new Map<string, Uint8Array>();
/** Contents kept for the next run, in bytes at most. */
const PLANTED_BYTES_MAX = 256 * 1024 * 1024;
let plantedBytes = 0;

/**
 * Bytes without a pattern, for a photo or a video that a person picks: the same for the same size and seed.
 * Made once a process and shared: not to be changed.
 */
export function syntheticBytes(sizeBytes: number, seed = 1): Uint8Array {
  const key = `${sizeBytes} ${seed}`;
  const known = planted.get(key);
  if (known) return known;
  const bytes = new Uint8Array(sizeBytes);
  let state = Math.imul(seed ^ sizeBytes, 0x9e3779b1) | 1;
  for (let n = 0; n < sizeBytes; n += 1) {
    // Xorshift, by Marsaglia.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[n] = state;
  }
  if (plantedBytes + sizeBytes > PLANTED_BYTES_MAX) {
    planted.clear();
    plantedBytes = 0;
  }
  planted.set(key, bytes);
  plantedBytes += sizeBytes;
  return bytes;
}

const isRoot = (uri: string): boolean => uri === DOCUMENTS_URI || uri === CACHE_URI;

/** A directory's uri ends in a slash. */
export const asDirectory = (uri: string): string => (uri.endsWith('/') ? uri : `${uri}/`);

/** The directory a file or directory lies in. */
export const parentOf = (uri: string): string => uri.slice(0, uri.replace(/\/$/, '').lastIndexOf('/') + 1);

/** The last part of a uri. */
export const nameOf = (uri: string): string =>
  uri.replace(/\/$/, '').slice(uri.replace(/\/$/, '').lastIndexOf('/') + 1);
