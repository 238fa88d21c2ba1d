// What reading and writing a file is to the phone: effects, with the errors of a full or broken disk.
import { nameOf } from './file-tree.ts';
import { type Effect, type EffectHost, LOST } from './host.ts';

const noRoom = (what: string, uri: string) => () =>
  new Error(`Unable to ${what} ${uri}: No space left on device (ENOSPC)`);
const inputOutput = (what: string, uri: string) => () =>
  new Error(`Unable to ${what} ${uri}: Input/output error (EIO)`);

/** Reads and writes that a fault can strike. */
export interface FileEffects {
  read<T>(call: string, uri: string, detail: string, apply: () => T): Promise<T>;
  /** `apply` gets how many of the bytes are written. */
  write(call: string, uri: string, sizeBytes: number, apply: (writtenBytes: number) => void): Promise<void>;
  writeNow(call: string, uri: string, apply: () => void): void;
}

/** The effects of one launch's files. */
export function createFileEffects(host: EffectHost): FileEffects {
  const place = (target: string, call: string, uri: string): Effect => ({ target, call, detail: nameOf(uri) });
  const errors = (call: string, uri: string) => ({ full: noRoom(call, uri), failed: inputOutput(call, uri) });
  return {
    read: (call, uri, detail, apply) =>
      host.perform(
        {
          ...place('storage.read', call, uri),
          detail: detail === '' ? nameOf(uri) : `${nameOf(uri)} ${detail}`,
          errors: { failed: inputOutput(call, uri) },
        },
        apply,
      ),
    write: (call, uri, sizeBytes, apply) => {
      // Without a byte to write there is still the file itself: parts are what a kill cuts.
      const parts = Math.max(1, sizeBytes);
      const written = (applied: number) => {
        if (applied > 0) apply(Math.min(applied, sizeBytes));
      };
      return host.perform(
        { ...place('storage.write', call, uri), sizeBytes, parts, errors: errors(call, uri), answers: LOST },
        written,
      );
    },
    writeNow: (call, uri, apply) =>
      host.performNow({ ...place('storage.write', call, uri), errors: { failed: inputOutput(call, uri) } }, (parts) => {
        if (parts > 0) apply();
      }),
  };
}
