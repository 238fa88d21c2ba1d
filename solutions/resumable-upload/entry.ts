// What is known of an upload: what outlives a kill, what is going on, and what is to be done next.
import type { Upload, UploadedPart } from '#contract/resumable-upload';

/** What outlives a kill: one stored value an upload. After `add` every change of it is a hint that may get lost. */
export interface Kept {
  readonly id: string;
  readonly fileName: string;
  readonly mime: string;
  readonly metered: boolean;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** There before the first request: a create that is repeated, in whichever launch, gets the same upload. */
  readonly createKey: string;
  readonly remote: { readonly id: string; readonly partSize: number } | null;
  /** For the bar after a restart. Nothing is decided by it. */
  readonly sentBytes: number;
  readonly isPaused: boolean;
  readonly fileUrl: string | null;
  readonly error: Upload['error'];
}

/** What is to be done next: create or ask, send a part, complete. */
export type Step = 'open' | number | 'complete';

/** A step that is out, or has failed. */
export interface Task {
  /** In a row, both. */
  failures: number;
  expiredLinks: number;
  /** The signal of the try that is out; aborted once it is called off. */
  out: AbortSignal | null;
  pause: { readonly timer: ReturnType<typeof setTimeout>; readonly isOrdered: boolean } | null;
}

/** What helps once, and is a failure the second time. */
export type Remedy = 'gone' | 'invalid-part' | 'checksum';

export interface Entry {
  readonly place: string;
  kept: Kept;
  /** Tags of the parts that the server has. Null until it has been asked. */
  etags: Map<number, string> | null;
  readonly tasks: Map<Step, Task>;
  /** Calls off all that is out. Another one takes its place when the upload may go on. */
  halt: AbortController;
  readonly remedies: Set<Remedy>;
  /** Whether the key to create it with is stored. */
  isKeyKept: boolean;
  readonly waiters: PromiseWithResolvers<{ fileUrl: string }>[];
  cancelling: Promise<void> | null;
}

export function createEntry(place: string, kept: Kept, etags: Map<number, string> | null): Entry {
  const halt = new AbortController();
  const nothing = { tasks: new Map(), remedies: new Set<Remedy>(), waiters: [], cancelling: null };
  return { place, kept, etags, halt, isKeyKept: true, ...nothing };
}

export const isOut = ({ out }: Task): boolean => out !== null && !out.aborted;
export const hasEnded = ({ kept }: Entry): boolean => kept.fileUrl !== null || kept.error !== null;

/** An empty file has one part of 0 bytes. */
const partCountOf = (sizeBytes: number, partSize: number): number => Math.max(1, Math.ceil(sizeBytes / partSize));

/** Parts that the server does not have, in order; null while that is not known. */
export function missingParts({ kept, etags }: Entry): number[] | null {
  if (!kept.remote || !etags) return null;
  const count = partCountOf(kept.sizeBytes, kept.remote.partSize);
  return Array.from({ length: count }, (_, n) => n + 1).filter((part) => !etags.has(part));
}

export function stepsOf(entry: Entry): Step[] {
  const missing = missingParts(entry);
  if (missing === null) return ['open'];
  return missing.length > 0 ? missing : ['complete'];
}

/** After a restart, before the server was asked, what was stored has to do. */
export function isWhole(entry: Entry): boolean {
  const { sentBytes, sizeBytes } = entry.kept;
  return missingParts(entry)?.length === 0 || (sizeBytes > 0 && sentBytes === sizeBytes);
}

export function bytesOf({ sizeBytes, remote }: Kept, etags: Map<number, string>): number {
  const partSize = remote?.partSize ?? 0;
  const sizes = [...etags.keys()].map((part) => Math.min(partSize, sizeBytes - (part - 1) * partSize));
  return sizes.reduce((sum, size) => sum + size, 0);
}

export const inOrder = ({ etags }: Entry): UploadedPart[] =>
  [...(etags ?? [])].map(([part, etag]) => ({ part, etag })).sort((a, b) => a.part - b.part);

/** What is out is aborted. Pauses and counts stay as they are. */
export function callOff(entry: Entry): void {
  entry.halt.abort();
  entry.halt = new AbortController();
}

/** What is out is aborted, and all tries are forgotten. */
export function stop(entry: Entry): void {
  callOff(entry);
  for (const { pause } of entry.tasks.values()) if (pause) clearTimeout(pause.timer);
  entry.tasks.clear();
}
