// Is a kata sound: does its grade tell right from wrong? Every claim of a sound kata, proved.

import pLimit from 'p-limit';
import type { LazyAttempt, Mistake } from '../course/mistake.ts';
import { createDraw } from '../simulator/draw.ts';
import type { Finding } from './finding.ts';
import { Lane } from './lane.ts';
import { loadMistakes, verifyContent, verifyFaults } from './verify-content.ts';
import { verifyLazy, verifyMistakes } from './verify-mistakes.ts';
import { SCHEDULES, verifyAlternative, verifyReference, verifyStub } from './verify-solutions.ts';

export interface VerifyOptions {
  readonly seed?: number;
  /** Told of each finding, in the order of the claims. */
  readonly onFinding?: (finding: Finding) => void;
  readonly onProgress?: (what: string) => void;
  /** Asks a few claims only: the content, the reference, and one other that this seed draws (default: all claims). */
  readonly sampleBy?: number;
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
    sampleBy,
  } = options;
  const tasks =
    sampleBy === undefined ? await tasksOf(root, slug, seed, isBrisk) : await sampleOf(root, slug, seed, sampleBy);
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
  await Promise.all(Array.from({ length: sampleBy === undefined ? LANES : 1 }, () => inLane(workInLane)));
  return answers.flatMap((findings) => findings ?? []);
}

async function tasksOf(root: string, slug: string, seed: number, isBrisk: boolean): Promise<Task[]> {
  const { mistakes, lazy } = await loadMistakes(root, slug);
  return [
    askContent(root, slug),
    askAlternative(isBrisk ? SCHEDULES.alternative.brisk : SCHEDULES.alternative.whole),
    askReference(SCHEDULES.reference.whole),
    { name: 'the stub', ask: verifyStub },
    askFaults(root, slug, seed),
    ...lazy.map(askLazy),
    ...chunksOf(mistakes).map(askMistakes),
  ];
}

/** The content, the reference, and one of the other claims, whichever the draw gives. */
async function sampleOf(root: string, slug: string, seed: number, sampleBy: number): Promise<Task[]> {
  const { mistakes, lazy } = await loadMistakes(root, slug);
  const others = [
    askAlternative(SCHEDULES.alternative.sampled),
    { name: 'the stub', ask: verifyStub },
    askFaults(root, slug, seed),
    ...lazy.map(askLazy),
    ...mistakes.map((mistake) => askMistakes([mistake])),
  ];
  const drawn = others[createDraw(sampleBy).pick(others.length, slug)] as Task;
  return [askContent(root, slug), askReference(SCHEDULES.reference.sampled), drawn];
}

const askContent = (root: string, slug: string): Task => ({ name: 'content', ask: () => verifyContent(root, slug) });

const askAlternative = (schedules: number): Task => ({
  name: 'the alternative',
  ask: (lane) => verifyAlternative(lane, schedules),
});

const askReference = (schedules: number): Task => ({
  name: 'the reference',
  ask: (lane) => verifyReference(lane, schedules),
});

const askFaults = (root: string, slug: string, seed: number): Task => ({
  name: 'faults',
  ask: () => verifyFaults(root, slug, seed),
});

const askLazy = (lazy: LazyAttempt): Task => ({
  name: `lazy attempt ${lazy.id}`,
  ask: async (lane) => [await verifyLazy(lane, lazy)],
});

const askMistakes = (mistakes: readonly Mistake[]): Task => ({
  name: `mistakes from ${mistakes[0]?.id}`,
  ask: (lane) => verifyMistakes(lane, mistakes),
});

/** Evenly, so that no batch is much smaller than the others. */
function chunksOf(mistakes: readonly Mistake[]): Mistake[][] {
  const count = Math.ceil(mistakes.length / MISTAKES_PER_BATCH);
  const chunks = Array.from({ length: count }, (): Mistake[] => []);
  for (const [n, mistake] of mistakes.entries()) chunks[Math.floor((n * count) / mistakes.length)]?.push(mistake);
  return chunks;
}
