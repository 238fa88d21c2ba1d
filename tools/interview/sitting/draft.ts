// Lines that are being typed, kept at each key: a kill in their middle loses nothing.
import { join } from 'node:path';
import { z } from 'zod';
import { keepFile } from '../../course/keep-file.ts';
import type { Role } from '../events.ts';
import { SCORE_DIMENSIONS } from '../guide.ts';
import { parseJson, readText, sessionPath } from '../session-folder.ts';
import type { Typing } from './view.ts';

const note = z.object({ purpose: z.literal('note'), text: z.string() });
const evidence = z.object({
  purpose: z.literal('evidence'),
  dimension: z.enum(SCORE_DIMENSIONS),
  score: z.number().int(),
  text: z.string(),
});
const drafts = z.object({ note: note.optional(), evidence: evidence.optional() });

export interface Draft {
  /** What was typed and not yet kept; null when nothing was. */
  read(purpose: Typing['purpose']): Typing | null;
  /** Keeps what is typed so far; an empty text when it is done. While one write goes on, only the newest waits. */
  keep(typing: Typing): void;
  /** Resolves once the newest is on disk. Rejects with what a write failed with. */
  settled(): Promise<void>;
}

export function openDraft(root: string, id: string, role: Role): Draft {
  const path = join(root, sessionPath(id), `draft-${role}.json`);
  const read = drafts.safeParse(parseJson(readText(path) ?? ''));
  let latest: Partial<Record<Typing['purpose'], Typing | undefined>> = read.success ? read.data : {};
  let waiting: string | null = null;
  let writing: Promise<void> | null = null;
  const write = async (): Promise<void> => {
    while (waiting !== null) {
      const text = waiting;
      waiting = null;
      await keepFile(path, text);
    }
  };
  return {
    read(purpose) {
      const typing = latest[purpose];
      return typing === undefined || typing.text === '' ? null : typing;
    },
    keep(typing) {
      latest = { ...latest, [typing.purpose]: typing };
      waiting = JSON.stringify(latest);
      writing ??= write().finally(() => {
        writing = null;
      });
      // Whoever asks for `settled` hears of a failure; until then it must not end the process.
      writing.catch(() => undefined);
    },
    settled: () => writing ?? Promise.resolve(),
  };
}
