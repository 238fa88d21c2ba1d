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
export class DeviceUploadTask implements UploadTask {
  readonly #host: EffectHost;
  readonly #tree: FileTree;
  readonly #uri: string;
  readonly #url: string;
  readonly #options: UploadOptions;
  readonly #controller = new AbortController();
  #state: UploadTask['state'] = 'idle';

  constructor(host: EffectHost, tree: FileTree, uri: string, url: string, options: UploadOptions = {}) {
    this.#host = host;
    this.#tree = tree;
    this.#uri = uri;
    this.#url = url;
    this.#options = options;
  }

  get state(): UploadTask['state'] {
    return this.#state;
  }

  cancel(): void {
    this.#controller.abort();
  }

  async uploadAsync(): Promise<UploadResult> {
    if (this.#state !== 'idle') throw new Error(`Cannot call uploadAsync() in state "${this.#state}"`);
    const { signal } = this.#options;
    signal?.throwIfAborted();
    signal?.addEventListener('abort', () => this.cancel(), { once: true });
    this.#state = 'active';
    try {
      const result = await this.#send();
      this.#state = 'completed';
      return result;
    } catch (error) {
      this.#state = this.#controller.signal.aborted ? 'cancelled' : 'error';
      throw error;
    }
  }

  async #send(): Promise<UploadResult> {
    const bytes = contentOf(this.#tree, this.#uri);
    const { httpMethod: method = 'POST', headers = {}, onProgress } = this.#options;
    const response = await this.#host.fetch(this.#url, {
      method,
      headers: { ...headers },
      body: bytes as Uint8Array<ArrayBuffer>,
      signal: this.#controller.signal,
    });
    const body = await response.text();
    onProgress?.({ bytesSent: bytes.length, totalBytes: bytes.length });
    return { status: response.status, headers: Object.fromEntries(response.headers), body };
  }
}
