// The bundled code of an attempt and the reference, for commands that simulate without grading.
import { placeWords, Simulation, type SimulationOutcome } from '../grader/simulation.ts';
import type { SimulationAnswer, SimulationJob } from '../grader/simulation-messages.ts';
import { targetOf } from '../grader/target.ts';
import { BundleError, bundle } from '../simulator/bundle.ts';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-code.ts';

/** Simulates an attempt or the reference. @throws CommandError when the attempt cannot be compiled, loops or crashes */
export async function simulateJob<T extends SimulationJob['type']>(
  root: string,
  slug: string,
  on: 'attempt' | 'reference',
  job: Extract<SimulationJob, { type: T }>,
  onProgress: (at: string) => void = () => undefined,
): Promise<Extract<SimulationAnswer, { type: T }>> {
  const simulation = new Simulation(root, slug);
  try {
    const reference = await bundle(targetOf(root, slug, 'reference').file, root);
    const attempt = on === 'reference' ? reference : await bundleAttempt(root, slug);
    const code = { attempt, reference, isReference: on === 'reference' };
    return answerOf(await simulation.run({ code, job }, onProgress), job.type as T);
  } finally {
    simulation.stop();
  }
}

async function bundleAttempt(root: string, slug: string): Promise<string> {
  try {
    return await bundle(targetOf(root, slug, 'attempt').file, root);
  } catch (error) {
    if (error instanceof BundleError)
      throw new CommandError(`The attempt cannot be compiled:\n${error.message}`, EXIT.notGradable);
    throw error;
  }
}

function answerOf<T extends SimulationJob['type']>(
  outcome: SimulationOutcome,
  type: T,
): Extract<SimulationAnswer, { type: T }> {
  if (outcome.kind === 'fault') throw new Error(outcome.message);
  if (outcome.kind !== 'done')
    throw new CommandError(`In ${placeWords(outcome.path)}: ${outcome.detail}`, EXIT.incomplete);
  if (outcome.answer.type !== type) throw new Error(`${type} was asked for, and ${outcome.answer.type} was answered.`);
  return outcome.answer as Extract<SimulationAnswer, { type: T }>;
}
