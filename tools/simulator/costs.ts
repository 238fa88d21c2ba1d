import type { Costs } from './trace.ts';

/** Costs before anything has happened. */
export function noCosts(): Costs {
  return {
    requests: 0,
    bytesSent: 0,
    bytesReceived: 0,
    storageWrites: 0,
    storageReads: 0,
    storageBytes: 0,
    secureWrites: 0,
    secureReads: 0,
    prompts: 0,
    databaseCommits: 0,
    timerWakeups: 0,
    offlineWakeups: 0,
    offlineMs: 0,
    stateChanges: 0,
    socketsOpened: 0,
    framesSent: 0,
    framesReceived: 0,
  };
}
