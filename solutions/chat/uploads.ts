// Files on their way to the storage host. How far one has come is the server's to say: it is asked first, and each answer
// says it again. Owns what it has said in this launch.
import { TRY_AGAIN } from '#solutions/offline-queue';
import { readSlice } from '#solutions/resumable-upload';
import { type Answer, isLink } from './api.ts';
import type { Core } from './core.ts';
import type { KeptFile } from './rows.ts';

const PIECE_BYTES = 256 * 1_024;
const LINKS_MAX = 3;

export type Uploads = ReturnType<typeof createUploads>;

export function createUploads({ device, api, show }: Core) {
  const confirmed = new Map<string, number>();

  /** Gives the file's URL once the server has all of it. A link that has run out is asked for again. */
  async function upload(file: KeptFile): Promise<Answer<string>> {
    const { uploadId, name, mime, sizeBytes } = file;
    for (let links = 0; links < LINKS_MAX; links += 1) {
      const link = await api.ask('/uploads/presign', isLink, { uploadId, name, mime, sizeBytes });
      if (link.kind !== 'accepted') return link;
      const sent = await putPieces(file, link.body.uploadUrl);
      if (sent === 'whole') return { kind: 'accepted', body: link.body.fileUrl };
      if (sent !== 'expired') return sent;
    }
    return TRY_AGAIN;
  }

  async function putPieces(file: KeptFile, url: string): Promise<'whole' | 'expired' | Answer<never>> {
    let received = await api.askStorage(url, { method: 'GET' });
    while (typeof received === 'number') {
      confirmed.set(file.uploadId, received);
      show();
      if (received >= file.sizeBytes) return 'whole';
      const bytes = await readSlice(new device.fileSystem.File(file.uri), received, PIECE_BYTES).catch(() => null);
      if (!bytes) return TRY_AGAIN;
      const range = `bytes ${received}-${received + bytes.length - 1}/${file.sizeBytes}`;
      const before: number = received;
      received = await api.askStorage(url, { method: 'PUT', headers: { 'Content-Range': range }, body: bytes });
      if (typeof received === 'number' && received <= before) return TRY_AGAIN;
    }
    return received;
  }

  /** Bytes that the server has confirmed over all bytes, 0 to 1. */
  function progressOf(files: readonly KeptFile[]): number {
    const doneOf = ({ uploadId, fileUrl, sizeBytes }: KeptFile) =>
      fileUrl ? sizeBytes : (confirmed.get(uploadId) ?? 0);
    const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return totalBytes === 0 ? 1 : files.reduce((sum, file) => sum + doneOf(file), 0) / totalBytes;
  }

  return { upload, progressOf };
}
