// The send queue: stored first, then sent, in order within each chat. Which message goes is asked of what is stored after
// each change. Owns which chats have a message on its way, and the private copies of what is unsent.
import type { Draft, PickedFile, SendFailure } from '#contract/chat';
import { headsOf, rethrowAsStorageError, TRY_AGAIN } from '#solutions/offline-queue';
import type { PrivateCopies } from '#solutions/resumable-upload';
import { createSerialQueue } from '#solutions/token-refresh';
import { type Answer, HELD, heed, isMessageAnswer } from './api.ts';
import { type Core, chatError } from './core.ts';
import { type KeptFile, toAttachment, type Unsent } from './rows.ts';
import type { Uploads } from './uploads.ts';

const LANES = 3;
const EXPIRES_MS = 24 * 3_600_000;
const EXPIRED: SendFailure = { code: 'expired', status: null, message: '' };

export function createOutbox(core: Core, copies: PrivateCopies, uploads: Uploads) {
  const { device, ledger, api, gate } = core;
  const { fileSystem } = device;
  /** Chats with a message on its way. */
  const busy = new Set<string>();
  /** A text must not be stored before the files of the message ahead of it are safe. */
  const inTurn = createSerialQueue();

  function send(chatId: string, { text = '', attachments = [] }: Draft): Promise<{ localId: string }> {
    const localId = crypto.randomUUID();
    const sentAt = new Date().toISOString();
    return inTurn(async () => {
      if (text === '' && attachments.length === 0) throw chatError('empty', 'A message needs a text or a file.');
      await ledger.ready();
      const files = await copyFiles(localId, attachments);
      await ledger
        .commit((change) => {
          const when = { place: nextPlace(), sentAt, sinceMs: Date.now() };
          change.unsent.push({ localId, chatId, text, files, failure: null, ...when });
        })
        .catch((error: unknown) => {
          removeCopies(files);
          throw error;
        });
      return { localId };
    });
  }

  const nextPlace = (): number => Math.max(0, ...[...ledger.unsent.values()].map(({ place }) => place)) + 1;

  /** The picker's cache may be cleared at any time: what is to be sent is copied first. */
  async function copyFiles(localId: string, picked: readonly PickedFile[]): Promise<KeptFile[]> {
    const files: KeptFile[] = [];
    try {
      for (const [n, { uri, name, mime }] of picked.entries()) {
        await ledger.ready();
        const uploadId = `${localId}-${n}`;
        const sizeBytes = new fileSystem.File(uri).size;
        files.push({ uploadId, uri: copies.file(uploadId).uri, name, mime, sizeBytes, fileUrl: null });
        await copies.keep(uri, uploadId);
      }
    } catch (cause) {
      removeCopies(files);
      const lost = picked.find(({ uri }) => !new fileSystem.File(uri).exists);
      if (lost) throw chatError('source-lost', `The file ${lost.name} is gone. Pick it again.`, cause);
      rethrowAsStorageError(cause);
    }
    return files;
  }

  const removeCopies = (files: readonly KeptFile[]): void => {
    for (const { uploadId } of files) copies.remove(uploadId);
  };

  const retry = (localId: string): Promise<void> =>
    ledger.commit((change) => {
      const failed = ledger.unsent.get(localId);
      if (!failed?.failure) throw notFound(localId);
      change.unsent.push({ ...failed, failure: null, place: nextPlace(), sinceMs: Date.now() });
    });

  const discard = (localId: string): Promise<void> =>
    ledger.commit((change) => {
      const message = ledger.unsent.get(localId);
      if (!message) throw notFound(localId);
      change.gone.push(message);
    });

  /** A failed one steps aside; whatever else is first holds the others of its chat. */
  function pump(): void {
    const waiting = inSendOrder().filter(({ failure }) => !failure);
    for (const next of headsOf(waiting, ({ chatId }) => chatId)) {
      if (busy.size >= LANES) break;
      if (!busy.has(next.chatId)) void deliver(next);
    }
  }

  const inSendOrder = (): Unsent[] => [...ledger.unsent.values()].sort((a, b) => a.place - b.place);

  async function deliver(message: Unsent): Promise<void> {
    busy.add(message.chatId);
    // A disk that does not take the outcome: asking again under the same localId is harmless, forgetting is not.
    const answer = await attempt(message).catch(() => TRY_AGAIN);
    busy.delete(message.chatId);
    heed(gate, answer);
    core.pump();
  }

  /** What comes of it is stored before it is shown. */
  async function attempt(message: Unsent): Promise<Answer> {
    if (Date.now() - message.sinceMs >= EXPIRES_MS) {
      await giveUp(message.localId, EXPIRED);
      return HELD;
    }
    const answer = await carry(message);
    if (answer.kind === 'accepted') await ledger.commit((change) => change.keep(answer.body.message));
    if (answer.kind === 'refused') await giveUp(message.localId, { code: 'refused', ...answer.refusal });
    return answer;
  }

  /** Files first, one after another, then the message that names them. */
  async function carry({ localId, chatId, text, sentAt, files }: Unsent) {
    for (const file of files) {
      if (file.fileUrl || !ledger.unsent.has(localId)) continue;
      const sent = await uploads.upload(file);
      if (sent.kind !== 'accepted') return sent;
      await noteUploaded(localId, file.uploadId, sent.body).catch(() => undefined);
    }
    const message = ledger.unsent.get(localId);
    // It was discarded, or the server had it all along; or a URL could not be stored.
    if (!message) return HELD;
    if (!message.files.every(isUploaded)) return TRY_AGAIN;
    const attachments = message.files.map((file) => toAttachment(file, file.fileUrl));
    const body = { localId, text, attachments, sentAt };
    return api.ask(`/chat/${encodeURIComponent(chatId)}/message`, isMessageAnswer, body);
  }

  const noteUploaded = (localId: string, uploadId: string, fileUrl: string): Promise<void> =>
    change(localId, ({ files }) => ({
      files: files.map((file) => (file.uploadId === uploadId ? { ...file, fileUrl } : file)),
    }));

  const giveUp = (localId: string, failure: SendFailure): Promise<void> => change(localId, () => ({ failure }));

  /** Unless it is sent or discarded by then. */
  const change = (localId: string, edits: (message: Unsent) => Partial<Unsent>): Promise<void> =>
    ledger.commit(({ unsent }) => {
      const message = ledger.unsent.get(localId);
      if (message) unsent.push({ ...message, ...edits(message) });
    });

  const unsentOf = (chatId: string): Unsent[] => inSendOrder().filter((one) => one.chatId === chatId);

  /** A kill between a copy and its message, or between a message and its copy's removal, leaves files behind. */
  function removeOrphans(): void {
    const needed = inSendOrder().flatMap(({ files }) => files.map(({ uploadId }) => uploadId));
    copies.removeOrphans(new Set(needed));
  }

  return { send, retry, discard, pump, unsentOf, removeCopies, removeOrphans };
}

type UploadedFile = KeptFile & { readonly fileUrl: string };
const isUploaded = (file: KeptFile): file is UploadedFile => file.fileUrl !== null;

const notFound = (localId: string) =>
  chatError('not-found', `No unsent message ${localId} can take this. See the messages of its thread.`);
