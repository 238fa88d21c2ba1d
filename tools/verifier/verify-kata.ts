// Is a kata sound: does its grade tell right from wrong? Every claim of a sound kata, proved.
import type { Finding } from './finding.ts';
import { Lane } from './lane.ts';
import { loadMistakes, verifyContent, verifyFaults } from './verify-content.ts';
import { verifyLazy, verifyMistake } from './verify-mistakes.ts';
import { verifyAlternative, verifyReference, verifyStub } from './verify-solutions.ts';

export interface VerifyOptions {
  readonly seed?: number;
  /** Told of each finding, in the order of the claims. */
  readonly onFinding?: (finding: Finding) => void;
  readonly onProgress?: (what: string) => void;
}

/** One claim, or a few that one grade answers. */
type Task = { readonly name: string; readonly ask: (lane: Lane) => Promise<readonly Finding[]> };

/** One more than the cores that learners and CI have: a lane often waits for a process to start, or for a test to time out. */
const LANES = 3;

/** Verifies one kata. Every finding is told as soon as all before it are; all of them come back. */
export async function verifyKata(root: string, slug: string, options: VerifyOptions = {}): Promise<Finding[]> {
  const { seed = 1, onFinding = () => undefined, onProgress = () => undefined } = options;
  const tasks = await tasksOf(root, slug, seed);
  const answers: (readonly Finding[] | undefined)[] = tasks.map(() => undefined);
  let asked = 0;
  let told = 0;
  const lanes = Array.from({ length: LANES }, () => new Lane(root, slug, seed));
  const work = async (lane: Lane) => {
    for (let n = asked++; n < tasks.length; n = asked++) {
      const task = tasks[n];
      if (!task) return;
      onProgress(task.name);
      answers[n] = await task.ask(lane);
      for (let next = answers[told]; next; next = answers[told]) {
        for (const finding of next) onFinding(finding);
        told += 1;
      }
    }
  };
  try {
    await Promise.all(lanes.map(work));
  } finally {
    for (const lane of lanes) lane.stop();
  }
  return answers.flatMap((findings) => findings ?? []);
}

async function tasksOf(root: string, slug: string, seed: number): Promise<Task[]> {
  const { mistakes, lazy } = await loadMistakes(root, slug);
  return [
    { name: 'content', ask: () => verifyContent(root, slug) },
    { name: 'the alternative', ask: verifyAlternative },
    { name: 'the reference', ask: verifyReference },
    { name: 'the stub', ask: verifyStub },
    { name: 'faults', ask: () => verifyFaults(root, slug, seed) },
    ...lazy.map((one) => ({
      name: `lazy attempt ${one.id}`,
      ask: async (lane: Lane) => [await verifyLazy(lane, one)],
    })),
    ...mistakes.map((one) => ({
      name: `mistake ${one.id}`,
      ask: async (lane: Lane) => [await verifyMistake(lane, one)],
    })),
  ];
}
