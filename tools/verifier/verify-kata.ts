// Is a kata sound: does its grade tell right from wrong? Every claim of a sound kata, proved.

import pLimit from 'p-limit';
import type { Mistake } from '../course/mistake.ts';
import type { Finding } from './finding.ts';
import { Lane } from './lane.ts';
import { loadMistakes, verifyContent, verifyFaults } from './verify-content.ts';
import { verifyLazy, verifyMistakes } from './verify-mistakes.ts';
import { verifyAlternative, verifyReference, verifyStub } from './verify-solutions.ts';

export interface VerifyOptions {
  readonly seed?: number;
  /** Told of each finding, in the order of the claims. */
  readonly onFinding?: (finding: Finding) => void;
  readonly onProgress?: (what: string) => void;
  /** With 300 fresh schedules for the alternative instead of 5,000 (default false). */
  readonly isBrisk?: boolean;
  /** Shared by katas that are verified side by side (default: this kata has all lanes to itself). */
  readonly inLane?: InLane;
}

/** One claim, or a few that one grade answers. */
type Task = { readonly name: string; readonly ask: (lane: Lane) => Promise<readonly Finding[]> };

/** Twice the cores that learners and CI have: a lane often waits for a process to start, or for a test to time out. */
const LANES = 4;
/** Few enough that the lanes end together, enough that a process for each is worth its start. */
const MISTAKES_PER_BATCH = 16;

/** Runs a lane's work once it is its turn: so many lanes at a time, over all katas. */
export type InLane = <T>(work: () => Promise<T>) => Promise<T>;

/** Lanes for katas that are verified side by side: the next one's begin where there is no more to do for the one before. */
export const shareLanes = (): InLane => pLimit(LANES);

/** Verifies one kata. Every finding is told as soon as all before it are; all of them come back. */
export async function verifyKata(root: string, slug: string, options: VerifyOptions = {}): Promise<Finding[]> {
  const {
    seed = 1,
    isBrisk = false,
    onFinding = () => undefined,
    onProgress = () => undefined,
    inLane = shareLanes(),
  } = options;
  const tasks = await tasksOf(root, slug, seed, isBrisk);
  const answers: (readonly Finding[] | undefined)[] = tasks.map(() => undefined);
  let asked = 0;
  let told = 0;
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
  const workInLane = async () => {
    const lane = new Lane(root, slug, seed);
    await work(lane).finally(() => lane.stop());
  };
  await Promise.all(Array.from({ length: LANES }, () => inLane(workInLane)));
  return answers.flatMap((findings) => findings ?? []);
}

async function tasksOf(root: string, slug: string, seed: number, isBrisk: boolean): Promise<Task[]> {
  const { mistakes, lazy } = await loadMistakes(root, slug);
  return [
    { name: 'content', ask: () => verifyContent(root, slug) },
    { name: 'the alternative', ask: (lane) => verifyAlternative(lane, isBrisk) },
    { name: 'the reference', ask: verifyReference },
    { name: 'the stub', ask: verifyStub },
    { name: 'faults', ask: () => verifyFaults(root, slug, seed) },
    ...lazy.map((one) => ({
      name: `lazy attempt ${one.id}`,
      ask: async (lane: Lane) => [await verifyLazy(lane, one)],
    })),
    ...chunksOf(mistakes).map((some) => ({
      name: `mistakes from ${some[0]?.id}`,
      ask: (lane: Lane) => verifyMistakes(lane, some),
    })),
  ];
}

/** Evenly, so that no batch is much smaller than the others. */
function chunksOf(mistakes: readonly Mistake[]): Mistake[][] {
  const count = Math.ceil(mistakes.length / MISTAKES_PER_BATCH);
  const chunks = Array.from({ length: count }, (): Mistake[] => []);
  for (const [n, mistake] of mistakes.entries()) chunks[Math.floor((n * count) / mistakes.length)]?.push(mistake);
  return chunks;
}
