// What the parts of a chat share. Each of them owns something else beside it.
import type { ChatErrorCode, ChatOptions } from '#contract/chat';
import { CodedError, type Gate } from '#solutions/offline-queue';
import type { Api } from './api.ts';
import type { Ledger } from './ledger.ts';

export interface Core extends ChatOptions {
  /** When may something be sent? One pause for all of it. */
  readonly gate: Gate;
  readonly api: Api;
  readonly ledger: Ledger;
  /** Shows what has changed. */
  show(): void;
  /** Asks all parts what may go now. */
  pump(): void;
}

export const chatError = (code: ChatErrorCode, message: string, cause?: unknown) =>
  new CodedError(code, message, cause);
