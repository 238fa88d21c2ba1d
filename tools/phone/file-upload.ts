// Uploads of whole files by the OS: the content never enters the app's memory.
import { contentOf, type FileTree } from './file-tree.ts';
import type { EffectHost } from './host.ts';

export interface UploadOptions {
  readonly httpMethod?: 'POST' | 'PUT' | 'PATCH';
  readonly headers?: Readonly<Record<string, string>>;
  /** Called once, when all is sent. */
  readonly onProgress?: (data: { readonly bytesSent: number; readonly totalBytes: number }) => void;
  readonly signal?: AbortSignal;
}

export interface UploadResult {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface UploadTask {
  readonly state: 'idle' | 'active' | 'completed' | 'cancelled' | 'error';
  /** Once. Resolves with any status; rejects without an answer, and with an `AbortError` once cancelled. */
  uploadAsync(): Promise<UploadResult>;
  cancel(): void;
}

/** A task of the foreground session: a kill ends it. What goes on in a background session is not simulated. */
export function createUploadTask(
  host: EffectHost,
  tree: FileTree,
  uri: string,
  url: string,
  options: UploadOptions = {},
): UploadTask {
  const controller = new AbortController();
  let state: UploadTask['state'] = 'idle';

  async function send(): Promise<UploadResult> {
    const bytes = contentOf(tree, uri);
    const { httpMethod: method = 'POST', headers = {}, onProgress } = options;
    const response = await host.fetch(url, {
      method,
      headers: { ...headers },
      body: bytes as Uint8Array<ArrayBuffer>,
      signal: controller.signal,
    });
    const body = await response.text();
    onProgress?.({ bytesSent: bytes.length, totalBytes: bytes.length });
    return { status: response.status, headers: Object.fromEntries(response.headers), body };
  }

  return {
    get state() {
      return state;
    },
    cancel: () => controller.abort(),
    uploadAsync: async () => {
      if (state !== 'idle') throw new Error(`Cannot call uploadAsync() in state "${state}"`);
      options.signal?.throwIfAborted();
      options.signal?.addEventListener('abort', () => controller.abort(), { once: true });
      state = 'active';
      try {
        const result = await send();
        state = 'completed';
        return result;
      } catch (error) {
        state = controller.signal.aborted ? 'cancelled' : 'error';
        throw error;
      }
    },
  };
}
