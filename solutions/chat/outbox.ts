// The send queue: stored first, then sent, in order within each chat. Which message goes is asked of what is stored, after
// each change. Owns which chats have a message on its way, and how far uploads have come.
import type { Attachment, ChatOptions, Draft } from '#contract/chat';
import { CodedError, headsOf, TRY_AGAIN, type Verdict } from '#solutions/offline-queue';
import { readSlice } from '#solutions/resumable-upload';
import { type Api, pathOf, type StorageAnswer } from './api.ts';
import type { Ledger } from './ledger.ts';
import { type Confirmed, type KeptFile, toAttachment, type Unsent } from './rows.ts';

const LANES = 3;
const EXPIRES_MS = 24 * 3_600_000;
const PIECE_BYTES = 256 * 1_024;
const LINKS_MAX = 3;

/** Null: nothing was sent, since there is nothing to send any more. */
type Outcome<Body = unknown> = Verdict<Body> | null;
type Settled = (outcome: Outcome) => void;

/** `settled` is told how each try has ended; `show` is called when an upload has come further. */
export function createOutbox({ device }: ChatOptions, ledger: Ledger, api: Api, settled: Settled, show: () => void) {
  const { File } = device.fileSystem;
  /** Chats with a message on its way. */
  const busy = new Set<string>();
  const confirmedBytes = new Map<string, number>();
  /** Of files that the server has all of, in this launch. */
  const urls = new Map<string, string>();

  /** The picker's cache may be cleared at any time: files are copied first, in turn, so that nothing overtakes them. */
  async function send(chatId: string, { text = '', attachments = [] }: Draft): Promise<{ localId: string }> {
    const localId = crypto.randomUUID();
    const sentAt = new Date().toISOString();
    await ledger.commit(async ({ desk }) => {
      if (!text && attachments.length === 0) throw new CodedError('empty', 'A message needs a text or a file.');
      const files: KeptFile[] = [];
      for (const [n, { uri, name, mime }] of attachments.entries()) {
        if (!new File(uri).exists) throw new CodedError('source-lost', `The file ${name} is gone. Pick it again.`);
        const copy = await ledger.copies.keep(uri, `${localId}-${n}`);
        files.push({ uploadId: copy.name, uri: copy.uri, name, mime, sizeBytes: copy.size });
      }
      desk.unsent = [...desk.unsent, { localId, chatId, text, files, sentAt, failure: null }];
    });
    return { localId };
  }

  const retry = (localId: string): Promise<void> =>
    ledger.commit(({ desk, dropUnsent }) => {
      const failed = find(localId);
      if (!failed?.failure) throw notFound(localId);
      dropUnsent(localId);
      desk.unsent = [...desk.unsent, { ...failed, failure: null, sentAt: new Date().toISOString() }];
    });

  const discard = (localId: string): Promise<void> =>
    ledger.commit(({ dropUnsent }) => {
      if (!find(localId)) throw notFound(localId);
      dropUnsent(localId);
    });

  const find = (localId: string): Unsent | undefined => ledger.desk().unsent.find((one) => one.localId === localId);

  /** A failed one steps aside; whatever else is first holds the others of its chat. */
  function pump(): void {
    const waiting = ledger.desk().unsent.filter(({ failure }) => !failure);
    for (const next of headsOf(waiting, ({ chatId }) => chatId)) {
      if (busy.size < LANES && !busy.has(next.chatId)) void deliver(next);
    }
  }

  async function deliver(message: Unsent): Promise<void> {
    busy.add(message.chatId);
    // A disk that does not take the outcome: asking again under the same localId is harmless, forgetting is not.
    const outcome = await attempt(message).catch(() => (find(message.localId) ? TRY_AGAIN : null));
    busy.delete(message.chatId);
    settled(outcome);
  }

  /** What comes of it is stored before it is shown. */
  async function attempt(message: Unsent): Promise<Outcome> {
    const { resets } = ledger.desk();
    const isExpired = Date.now() - Date.parse(message.sentAt) >= EXPIRES_MS;
    const outcome = isExpired ? null : await carry(message);
    if (isExpired) await giveUp(message, { code: 'expired', status: null, message: '' });
    if (outcome?.kind === 'refused') await giveUp(message, { code: 'refused', ...outcome.refusal });
    if (outcome?.kind === 'accepted') {
      const { message: sent } = outcome.body;
      await ledger.commit(({ desk, row, keep }) => {
        // The first that is known of its chat: the stream will bring what comes after it, unless all began anew meanwhile.
        if (desk.resets === resets) row(sent.chatId).floor ??= sent.sequenceId;
        keep(sent);
      });
    }
    return outcome;
  }

  /** Unless it is sent or discarded by then. */
  const giveUp = ({ localId }: Unsent, failure: Unsent['failure']): Promise<void> =>
    ledger.commit(({ desk }) => {
      desk.unsent = desk.unsent.map((one) => (one.localId === localId ? { ...one, failure } : one));
    });

  /** Files first, one after another, then the message that names them. */
  async function carry({ localId, chatId, text, sentAt, files }: Unsent): Promise<Outcome<{ message: Confirmed }>> {
    const attachments: Attachment[] = [];
    for (const file of files) {
      const url = find(localId) ? await upload(file) : null;
      if (url?.kind !== 'accepted') return url;
      attachments.push(toAttachment(file, url.body));
    }
    // By now it may be discarded, or the server had it all along.
    if (!find(localId)) return null;
    return api.ask(`${pathOf(chatId)}/message`, { localId, text, attachments, sentAt });
  }

  /** Gives the file's URL once the server has all of it. A link that has run out is asked for again. */
  async function upload(file: KeptFile): Promise<Verdict<string>> {
    const { uri, ...asked } = file;
    for (let links = 0; links < LINKS_MAX && !urls.has(file.uploadId); links += 1) {
      const link = await api.ask<{ uploadUrl: string; fileUrl: string }>('/uploads/presign', asked);
      if (link.kind !== 'accepted') return link;
      const received = await putPieces(file, link.body.uploadUrl);
      if (typeof received === 'number') urls.set(file.uploadId, link.body.fileUrl);
      else if (received !== 'expired') return received;
    }
    const url = urls.get(file.uploadId);
    return url ? { kind: 'accepted', body: url } : TRY_AGAIN;
  }

  /** How far a file has come is the server's to say: it is asked first, and each answer says it again. */
  async function putPieces(file: KeptFile, url: string): Promise<StorageAnswer> {
    let received = await api.askStorage(url);
    while (typeof received === 'number') {
      const from: number = received;
      confirmedBytes.set(file.uploadId, from);
      show();
      if (from >= file.sizeBytes) break;
      const body = await readSlice(new File(file.uri), from, PIECE_BYTES);
      const headers = { 'Content-Range': `bytes ${from}-${from + body.length - 1}/${file.sizeBytes}` };
      received = await api.askStorage(url, { method: 'PUT', headers, body });
      if (typeof received === 'number' && received <= from) return TRY_AGAIN;
    }
    return received;
  }

  return { send, retry, discard, pump, confirmedBytes };
}

const notFound = (localId: string) =>
  new CodedError('not-found', `No unsent message ${localId} can take this. See the messages of its thread.`);
