// One try of one step: what is asked of the server, and how it ended.
import type { UploadedPart, UploadTarget } from '#contract/resumable-upload';
import { type Entry, inOrder, missingParts, type Step } from './entry.ts';
import { NO_ANSWER, type Refusal, readRefusal } from './multipart-target.ts';
import { type PrivateCopies, readSlice } from './private-copies.ts';

/** How a step ended. */
export type Outcome =
  | { readonly is: 'created'; readonly remote: { readonly id: string; readonly partSize: number } }
  | { readonly is: 'told'; readonly parts: readonly UploadedPart[] }
  | { readonly is: 'sent'; readonly part: number; readonly etag: string }
  | { readonly is: 'done'; readonly fileUrl: string }
  | { readonly is: 'link-expired' | 'source-lost' }
  | ({ readonly is: 'refused' } & Refusal);

interface StepsOptions {
  readonly target: UploadTarget;
  readonly copies: PrivateCopies;
  /** Stores the key to create an upload with. False when the phone does not take it. */
  keepKey(entry: Entry): Promise<boolean>;
}

/** Gives what does a step. It never rejects. */
export function createSteps({ target, copies, keepKey }: StepsOptions) {
  async function perform(entry: Entry, step: Step, signal: AbortSignal): Promise<Outcome> {
    const { kept } = entry;
    const { remote } = kept;
    if (!remote) {
      // A second upload must not begin with a key that a kill would lose: a third would follow.
      entry.isKeyKept ||= await keepKey(entry);
      if (signal.aborted || !entry.isKeyKept) throw NO_ANSWER;
      const { fileName, mime, sizeBytes: size, sha256 } = kept;
      const { remoteId: id, partSize } = await target.create({ fileName, mime, size, sha256 }, kept.createKey);
      return { is: 'created', remote: { id, partSize } };
    }
    if (step === 'open') {
      const told = await target.have(remote.id);
      if (told === 'gone') return { is: 'refused', status: 404, retryAfterMs: null };
      return told.fileUrl === undefined ? { is: 'told', ...told } : { is: 'done', fileUrl: told.fileUrl };
    }
    if (step === 'complete') return { is: 'done', ...(await target.complete(remote.id, inOrder(entry))) };

    const copy = copies.file(kept.id);
    if (!copy.exists || copy.size !== kept.sizeBytes) return { is: 'source-lost' };
    const bytes = await readSlice(copy, (step - 1) * remote.partSize, remote.partSize);
    if (signal.aborted) throw NO_ANSWER;
    const ahead = missingParts(entry)?.filter((part) => part !== step) ?? [];
    const answer = await target.put(remote.id, step, bytes, signal, ahead);
    return answer === 'link-expired' ? { is: 'link-expired' } : { is: 'sent', part: step, etag: answer.etag };
  }

  return (entry: Entry, step: Step, signal: AbortSignal): Promise<Outcome> =>
    perform(entry, step, signal).catch((error: unknown) => ({ is: 'refused', ...readRefusal(error) }));
}
