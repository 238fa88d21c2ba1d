// The server of the kata: multipart uploads with presigned links, in the manner of S3, and the storage host behind them.
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { Hono } from 'hono/quick';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { FileDescription, UploadedPart } from '#contract/resumable-upload';
import type { Backend, BackendContext } from '#simulator';

/** A part as the storage host has it. */
export interface StoredPart {
  readonly etag: string;
  readonly bytes: Uint8Array;
}

/** One upload. */
export interface RemoteUpload extends FileDescription {
  readonly uploadId: string;
  readonly key: string;
  readonly partSize: number;
  readonly partCount: number;
  readonly parts: Map<number, StoredPart>;
  /** Parts that have ever arrived. */
  readonly everStored: Set<number>;
  status: 'open' | 'completed' | 'gone';
  lastPartAtMs: number;
  fileUrl: string | null;
}

/** A part as it arrived, and how it was answered. */
export interface LoggedPut {
  readonly uploadId: string;
  readonly part: number;
  readonly sizeBytes: number;
  readonly status: number;
}

/** A file that is there for others to read. */
export interface FinishedFile {
  readonly uploadId: string;
  readonly fileName: string;
  readonly mime: string;
  readonly bytes: Uint8Array;
}

export interface UploadBackend extends Backend {
  /** By upload id, oldest first. */
  readonly uploads: ReadonlyMap<string, RemoteUpload>;
  readonly puts: readonly LoggedPut[];
  readonly files: readonly FinishedFile[];
  /** Ids of uploads that a client has deleted. */
  readonly deleted: readonly string[];
  /** For uploads to come, in bytes. */
  partSize: number;
  /** What is larger is answered 413, in bytes. */
  sizeMax: number;
  /** Every link there is has expired. */
  expireLinks(): void;
  /** So many parts to come are damaged after they were acknowledged. */
  spoilNext(count: number): void;
  /** The last part of an open upload is lost. */
  losePart(uploadId: string): void;
  /** Open uploads are cleared away, as after a day. */
  clearOpen(): void;
}

interface Answer {
  readonly status: ContentfulStatusCode;
  readonly body: object;
}

interface Link {
  readonly uploadId: string;
  readonly part: number;
  readonly expiresAtMs: number;
}

const STORAGE = 'https://storage.example.test';
const FILES = 'https://files.example.test';
const LINK_MS = 15 * 60_000;
const UPLOAD_MS = 24 * 3_600_000;
const LINKS_MAX = 10;
/** Source: Amazon S3, multipart upload limits. */
const PARTS_MAX = 10_000;
const MIME_REFUSED = 'application/x-msdownload';

const refusal = (status: ContentfulStatusCode, error: string): Answer => ({ status, body: { error } });
const GONE = refusal(404, 'no_such_upload');

export function createBackend(context: BackendContext): UploadBackend {
  const uploads = new Map<string, RemoteUpload>();
  const byKey = new Map<string, RemoteUpload>();
  const links = new Map<string, Link>();
  const puts: LoggedPut[] = [];
  const files: FinishedFile[] = [];
  const deleted: string[] = [];
  let linkCount = 0;
  let spoils = 0;

  const iso = (ms: number) => new Date(ms).toISOString();

  /** Unfinished uploads are cleared away after a day without a part: they cost money. */
  function find(uploadId: string): RemoteUpload | null {
    const upload = uploads.get(uploadId);
    if (!upload) return null;
    if (upload.status === 'open' && context.nowMs() - upload.lastPartAtMs > UPLOAD_MS) upload.status = 'gone';
    return upload.status === 'gone' ? null : upload;
  }

  function createdAnswer({ uploadId, partSize, partCount, lastPartAtMs }: RemoteUpload): Answer {
    return { status: 201, body: { uploadId, partSize, partCount, expiresAt: iso(lastPartAtMs + UPLOAD_MS) } };
  }

  function create(key: string | undefined, body: unknown): Answer {
    const file = readDescription(body);
    if (key === undefined || !file) return refusal(422, 'incomplete');
    const known = byKey.get(key);
    if (known) return known.sha256 === file.sha256 ? createdAnswer(known) : refusal(422, 'key_reused');
    if (file.size > backend.sizeMax) return refusal(413, 'too_large');
    if (file.mime === MIME_REFUSED) return refusal(415, 'unsupported_type');
    const { partSize } = backend;
    const partCount = Math.max(1, Math.ceil(file.size / partSize));
    if (partCount > PARTS_MAX) return refusal(413, 'too_many_parts');
    const upload: RemoteUpload = {
      ...file,
      uploadId: `up-${uploads.size + 1}`,
      key,
      partSize,
      partCount,
      parts: new Map(),
      everStored: new Set(),
      status: 'open',
      lastPartAtMs: context.nowMs(),
      fileUrl: null,
    };
    uploads.set(upload.uploadId, upload);
    byKey.set(key, upload);
    context.record('created', { uploadId: upload.uploadId, fileName: upload.fileName });
    return createdAnswer(upload);
  }

  function sign(upload: RemoteUpload | null, body: unknown): Answer {
    if (!upload) return GONE;
    const parts: unknown = isObject(body) ? body.parts : null;
    if (!Array.isArray(parts) || parts.length === 0 || parts.length > LINKS_MAX) return refusal(422, 'parts');
    if (!parts.every((part) => Number.isInteger(part) && part >= 1 && part <= upload.partCount))
      return refusal(422, 'no_such_part');
    if (upload.status === 'completed') return refusal(409, 'completed');
    const expiresAtMs = context.nowMs() + LINK_MS;
    const urls = parts.map((part: number) => {
      linkCount += 1;
      const url = `${STORAGE}/parts/${upload.uploadId}/${part}?signature=${linkCount}`;
      links.set(String(linkCount), { uploadId: upload.uploadId, part, expiresAtMs });
      return { part, url, expiresAt: iso(expiresAtMs) };
    });
    return { status: 200, body: { urls } };
  }

  function list(upload: RemoteUpload | null): Answer {
    if (!upload) return GONE;
    const { status, fileUrl } = upload;
    const parts = [...upload.parts]
      .sort(([a], [b]) => a - b)
      .map(([part, { etag, bytes }]) => ({ part, etag, size: bytes.length }));
    return { status: 200, body: { status, parts, ...(fileUrl !== null && { fileUrl }) } };
  }

  function complete(upload: RemoteUpload | null, body: unknown): Answer {
    if (!upload) return GONE;
    if (upload.fileUrl !== null) return { status: 200, body: { fileUrl: upload.fileUrl } };
    if (!isWhole(upload, isObject(body) ? body.parts : null)) return refusal(400, 'invalid_part');
    const bytes = joined(upload);
    if (createHash('sha256').update(bytes).digest('hex') !== upload.sha256) return refusal(422, 'checksum');
    upload.status = 'completed';
    upload.fileUrl = `${FILES}/${upload.uploadId}/${encodeURIComponent(upload.fileName)}`;
    const { uploadId, fileName, mime } = upload;
    files.push({ uploadId, fileName, mime, bytes });
    context.record('completed', { uploadId, fileName });
    return { status: 200, body: { fileUrl: upload.fileUrl } };
  }

  function abandon(uploadId: string): void {
    deleted.push(uploadId);
    const upload = find(uploadId);
    if (upload) upload.status = 'gone';
  }

  /** The storage host knows links and nothing else: a request that brings a token as well is refused. */
  function store(link: Link | undefined, hasToken: boolean, bytes: Uint8Array): Answer & { etag?: string } {
    if (hasToken) return refusal(400, 'one_authentication_only');
    if (!link || context.nowMs() >= link.expiresAtMs) return refusal(403, 'expired');
    const upload = find(link.uploadId);
    if (!upload) return GONE;
    if (upload.status === 'completed') return refusal(409, 'completed');
    if (bytes.length !== sizeOf(upload, link.part)) return refusal(400, 'part_size');
    // What names a part is its content, as with S3: the same part sent again has the same tag.
    const etag = `"${createHash('md5').update(bytes).digest('hex').slice(0, 12)}-${link.part}"`;
    upload.parts.set(link.part, { etag, bytes: spoils > 0 ? spoiled(bytes) : bytes });
    spoils = Math.max(0, spoils - 1);
    upload.everStored.add(link.part);
    upload.lastPartAtMs = context.nowMs();
    context.record('part', { uploadId: upload.uploadId, part: link.part, sizeBytes: bytes.length });
    return { status: 200, body: {}, etag };
  }

  const reply = (c: Context, { status, body }: Answer) =>
    c.json(body, status, { Date: new Date(context.nowMs()).toUTCString() });
  const jsonOf = (c: Context): Promise<unknown> => c.req.json().catch(() => null);

  const app = new Hono();
  app.post('/uploads', async (c) => reply(c, create(c.req.header('Idempotency-Key'), await jsonOf(c))));
  app.post('/uploads/:id/urls', async (c) => reply(c, sign(find(c.req.param('id')), await jsonOf(c))));
  app.get('/uploads/:id', (c) => reply(c, list(find(c.req.param('id')))));
  app.post('/uploads/:id/complete', async (c) => reply(c, complete(find(c.req.param('id')), await jsonOf(c))));
  app.delete('/uploads/:id', (c) => {
    abandon(c.req.param('id'));
    return c.body(null, 204);
  });
  app.put('/parts/:id/:part', async (c) => {
    const bytes = new Uint8Array(await c.req.arrayBuffer());
    const link = links.get(c.req.query('signature') ?? '');
    const { status, body, etag } = store(link, c.req.header('Authorization') !== undefined, bytes);
    const [uploadId, part] = [c.req.param('id'), Number(c.req.param('part'))];
    puts.push({ uploadId, part, sizeBytes: bytes.length, status });
    return etag === undefined ? c.json(body, status) : c.body('', 200, { ETag: etag });
  });

  const backend: UploadBackend = {
    app,
    uploads,
    puts,
    files,
    deleted,
    partSize: 256,
    sizeMax: Number.POSITIVE_INFINITY,
    expireLinks: () => links.clear(),
    spoilNext: (count) => {
      spoils = count;
    },
    losePart: (uploadId) => {
      const upload = uploads.get(uploadId);
      if (upload?.status === 'open') upload.parts.delete(Math.max(...upload.parts.keys()));
    },
    clearOpen: () => {
      for (const upload of uploads.values()) if (upload.status === 'open') upload.status = 'gone';
    },
  };
  return backend;
}

/** All parts but the last one are full; an empty file has one part of 0 bytes. */
function sizeOf({ size, partSize }: RemoteUpload, part: number): number {
  return Math.min(partSize, size - (part - 1) * partSize);
}

/** Whether a list names every part, in ascending order, with the tags that were given out for them. */
function isWhole({ parts, partCount }: RemoteUpload, listed: unknown): boolean {
  if (!Array.isArray(listed) || listed.length !== partCount) return false;
  return listed.every(
    (one: Partial<UploadedPart> | null, at) => one?.part === at + 1 && one.etag === parts.get(at + 1)?.etag,
  );
}

function joined({ parts, partCount, size }: RemoteUpload): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (let part = 1; part <= partCount; part += 1) {
    const bytes = parts.get(part)?.bytes ?? new Uint8Array();
    whole.set(bytes, at);
    at += bytes.length;
  }
  return whole;
}

function spoiled(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[0] = (copy[0] ?? 0) ^ 0xff;
  return copy;
}

function readDescription(body: unknown): FileDescription | null {
  if (!isObject(body)) return null;
  const { fileName, mime, size, sha256 } = body;
  if (typeof fileName !== 'string' || typeof mime !== 'string' || typeof sha256 !== 'string') return null;
  return typeof size === 'number' ? { fileName, mime, size, sha256 } : null;
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
