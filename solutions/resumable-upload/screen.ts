// What a screen sees. Progress alone may wait a moment; all else is told at once.
import { createStore } from 'zustand/vanilla';
import type { Upload, UploaderState, UploadStatus } from '#contract/resumable-upload';
import { type Entry, isOut, isWhole } from './entry.ts';

const PROGRESS_EVERY_MS = 250;

export function createScreen(mayUseNetwork: (entry: Entry) => boolean) {
  const store = createStore<UploaderState>(() => ({ uploads: [] }));
  let progressAtMs = Number.NEGATIVE_INFINITY;
  let progressTimer: ReturnType<typeof setTimeout> | undefined;

  function statusOf(entry: Entry): UploadStatus {
    const tasks = [...entry.tasks.values()];
    if (entry.kept.fileUrl !== null) return 'done';
    if (entry.kept.error) return 'failed';
    if (entry.kept.isPaused) return 'paused';
    if (isWhole(entry)) return 'completing';
    if (!mayUseNetwork(entry)) return 'waiting';
    if (tasks.some(isOut)) return 'uploading';
    return tasks.length > 0 ? 'waiting' : 'queued';
  }

  const toUpload = (entry: Entry): Upload => {
    const { id, fileName, sentBytes, sizeBytes, fileUrl, error } = entry.kept;
    return { id, fileName, status: statusOf(entry), sentBytes, totalBytes: sizeBytes, fileUrl, error };
  };

  /** Tells of progress alone four times a second at most, and of all else at once. */
  function show(entries: readonly Entry[]): void {
    clearTimeout(progressTimer);
    const shown = store.getState().uploads;
    const uploads = entries.map(toUpload);
    if (JSON.stringify(shown) === JSON.stringify(uploads)) return;
    const leftMs = progressAtMs + PROGRESS_EVERY_MS - performance.now();
    if (leftMs > 0 && outlineOf(shown) === outlineOf(uploads)) {
      progressTimer = setTimeout(() => show(entries), leftMs);
      return;
    }
    progressAtMs = performance.now();
    store.setState({ uploads });
  }

  return {
    show,
    getState: store.getState,
    subscribe: (listener: () => void) => store.subscribe(() => listener()),
    end: () => clearTimeout(progressTimer),
  };
}

/** All but what moves all the time. */
const outlineOf = (uploads: readonly Upload[]): string =>
  JSON.stringify(uploads.map((upload) => ({ ...upload, sentBytes: 0 })));
