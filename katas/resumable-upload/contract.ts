// What an uploader is, seen from outside: types only, shared by stub, reference and suite.
import type { Device } from '#phone';

/** A file that a person has picked. */
export interface PickedFile {
  /** Where the picker has put it: a place that the OS may clear at any time. */
  readonly uri: string;
  readonly fileName: string;
  /** Such as `video/mp4`. */
  readonly mime: string;
  /** Whether it may go over a network that costs money (default true). */
  readonly metered?: boolean;
}

export type UploadStatus = 'queued' | 'uploading' | 'waiting' | 'paused' | 'completing' | 'done' | 'failed';

/** Why an upload has failed. */
export type UploadFailure = 'too-large' | 'refused' | 'source-lost' | 'checksum' | 'server';

export interface Upload {
  /** Names it in every call: the same after a restart, and never another's. */
  readonly id: string;
  readonly fileName: string;
  readonly status: UploadStatus;
  /** Bytes of the parts that the server has acknowledged. */
  readonly sentBytes: number;
  readonly totalBytes: number;
  /** Null until it is done. */
  readonly fileUrl: string | null;
  /** Null unless it has failed. */
  readonly error: { readonly code: UploadFailure; readonly message: string } | null;
}

export interface UploaderState {
  /** Oldest first. */
  readonly uploads: readonly Upload[];
}

/** Why a call was turned down: the `code` of the `Error` it rejects with. */
export type UploaderErrorCode =
  | 'storage-full'
  | 'storage-failed'
  | 'source-lost'
  | 'unknown-id'
  | 'cancelled'
  | 'failed'
  | 'disposed';

export interface UploaderError extends Error {
  readonly code: UploaderErrorCode;
}

/** What the server is told of a file when an upload of it is created. */
export interface FileDescription {
  readonly fileName: string;
  readonly mime: string;
  /** In bytes. */
  readonly size: number;
  /** SHA-256 of the whole file, in hex. */
  readonly sha256: string;
}

/** A part that the server has. Parts are numbered from 1. */
export interface UploadedPart {
  readonly part: number;
  /** As the server gave it: its quotes are part of it. */
  readonly etag: string;
}

/** The server, as the uploader talks to it. Its calls reject with `{ status, retryAfterMs? }`, or anything when no answer came. */
export interface UploadTarget {
  /** The same key gives the same upload. `partSize` is in bytes. */
  create(file: FileDescription, key: string): Promise<{ readonly remoteId: string; readonly partSize: number }>;
  /** What the server has of an upload. `gone`: it knows it no longer. */
  have(remoteId: string): Promise<{ readonly parts: readonly UploadedPart[]; readonly fileUrl?: string } | 'gone'>;
  /** `ahead`: parts that are likely to come next, for links that are asked for together. */
  put(
    remoteId: string,
    part: number,
    bytes: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
    ahead: readonly number[],
  ): Promise<{ readonly etag: string } | 'link-expired'>;
  complete(remoteId: string, parts: readonly UploadedPart[]): Promise<{ readonly fileUrl: string }>;
  abandon(remoteId: string): Promise<void>;
}

export interface UploaderOptions {
  readonly device: Device;
  /** Without a slash at its end, such as `https://api.example.com`. */
  readonly apiUrl: string;
  /** Used for requests to `apiUrl` in place of the global one: a session layer that adds a token. */
  readonly fetch?: typeof fetch;
  /** Replaces the protocol; the engine stays. */
  readonly target?: UploadTarget;
  /** Parts in flight at once, over all uploads (default 3). */
  readonly concurrency?: number;
}

export interface Uploader {
  /** Takes up what an earlier launch left. */
  start(): Promise<void>;
  /** Gives the upload's id, once the file is safe and the upload stored. Rejects with an `UploaderError`. */
  add(file: PickedFile): Promise<string>;
  pause(id: string): Promise<void>;
  /** Goes on after `pause` or a failure. */
  resume(id: string): Promise<void>;
  /** Ends an upload, whatever its state, and forgets it. */
  cancel(id: string): Promise<void>;
  /** In any launch. Rejects with `cancelled`, `failed` or `unknown-id`. */
  whenDone(id: string): Promise<{ readonly fileUrl: string }>;
  /** The same object until it changes. */
  getState(): UploaderState;
  /** Calls the listener after each change of the state. Gives the function that ends it. */
  subscribe(listener: () => void): () => void;
  /** Ends requests, timers and listeners. What is stored stays for the next launch. */
  dispose(): void;
}

export type CreateUploader = (options: UploaderOptions) => Uploader;

/** What an attempt exports. */
export interface ResumableUploadModule {
  readonly createUploader: CreateUploader;
}
