// A campaign that a second child can join: a grade waits for the simulation longest, and most machines have two cores.
import type { Finding } from '../simulator/campaign.ts';
import { endedEarly, mergeSurveys } from '../simulator/merge-surveys.ts';
import { Simulation, type SimulationOutcome } from './simulation.ts';
import type { SimulationAnswer, SimulationCode, SimulationJob, SimulationRequest } from './simulation-messages.ts';

/** The parts are always the same, whoever does them and when: the same grade everywhere. */
const PARTS = 8;
/** For fewer schedules, or less time left, a second process would not be worth its start. */
const SHARED_FROM = 400;
const LEFT_MS = 2_500;

type Campaign = Extract<SimulationJob, { type: 'campaign' }>;
type Unfinished = Exclude<SimulationOutcome, { kind: 'done' }>;

/** A child that waits, warm, for a campaign, and one that joins it when it is told to. */
export class SharedSimulation {
  readonly #root: string;
  readonly #slug: string;
  readonly #leftMs: number;
  readonly #children: [Simulation, ...Simulation[]];
  #isJoined = false;
  #onJoin: () => void = () => undefined;

  /** `leftMs`: a second child joins when the first would need longer than this for the rest (default 2,500). */
  constructor(root: string, slug: string, leftMs = LEFT_MS) {
    this.#root = root;
    this.#slug = slug;
    this.#leftMs = leftMs;
    this.#children = [this.#makeChild()];
  }

  /** Runs a campaign. What keeps one part from ending keeps the whole from it. */
  async run(
    { code, job }: Omit<SimulationRequest, 'token'>,
    onProgress: (path: string) => void = () => undefined,
  ): Promise<SimulationOutcome> {
    if (job.type !== 'campaign') throw new Error(`Only a campaign can be shared, not a job of type ${job.type}.`);
    if (job.schedules < SHARED_FROM) return this.#children[0].run({ code, job }, onProgress);
    const startedAt = performance.now();
    const changedBuiltIns = new Set<string>();
    const ask = async <T extends SimulationAnswer['type']>(jobs: readonly SimulationJob[], type: T) => {
      const answers = await this.#share(code, jobs, onProgress);
      if (!Array.isArray(answers)) return answers;
      return answers.map((answer) => {
        if (answer.type !== type) throw new Error(`A ${type} was asked for, and ${answer.type} was answered.`);
        if ('changedBuiltIns' in answer) for (const name of answer.changedBuiltIns) changedBuiltIns.add(name);
        return answer as Extract<SimulationAnswer, { type: T }>;
      });
    };
    const surveys = await ask(partsOf(job), 'survey');
    if (!Array.isArray(surveys)) return surveys;
    const { findings, ...rest } = mergeSurveys(surveys.map(({ result }) => result));
    const told = await ask(
      findings.map((finding) => shrinkingOf(finding, job)),
      'shrink',
    );
    if (!Array.isArray(told)) return told;
    const result = { ...rest, violations: told.map(({ result }) => result) };
    const wallMs = performance.now() - startedAt;
    return { kind: 'done', answer: { type: 'campaign', result, wallMs, changedBuiltIns: [...changedBuiltIns] } };
  }

  /** Says that a core has become free: from now on a second child joins in where enough is left to do. */
  join(): void {
    this.#isJoined = true;
    this.#onJoin();
  }

  stop(): void {
    for (const child of this.#children) child.stop();
  }

  #makeChild(): Simulation {
    // All jobs of a campaign are about one attempt.
    return new Simulation(this.#root, this.#slug, { isReused: true, isBrief: true });
  }

  /**
   * Answers up to the first that makes the others pointless; or, of jobs that were not done, the first. Jobs are begun
   * in their order and those that were begun are waited for: whoever does them, the same one is told each time.
   */
  async #share(
    code: SimulationCode,
    jobs: readonly SimulationJob[],
    onProgress: (path: string) => void,
  ): Promise<SimulationAnswer[] | Unfinished> {
    const outcomes: SimulationOutcome[] = [];
    let next = 0;
    let lastMs = 0;
    const work = async (child: Simulation) => {
      while (next < jobs.length) {
        const [n, job, begunAt] = [next, jobs[next] as SimulationJob, performance.now()];
        next += 1;
        const outcome = await child.run({ code, job }, onProgress);
        outcomes[n] = outcome;
        if (outcome.kind !== 'done' || isEnough(outcome.answer)) next = jobs.length;
        // The first takes longer than all others: the engine gets to know the code.
        if (n > 0) lastMs = performance.now() - begunAt;
        this.#onJoin();
      }
    };
    let helping: Promise<void> | undefined;
    this.#onJoin = () => {
      const isWorthIt = this.#children.length > 1 || (jobs.length - next) * lastMs > this.#leftMs;
      if (!this.#isJoined || helping || next >= jobs.length || !isWorthIt) return;
      const helper = this.#children[1] ?? this.#makeChild();
      this.#children[1] = helper;
      helping = work(helper);
    };
    this.#onJoin();
    await work(this.#children[0]);
    await helping;
    this.#onJoin = () => undefined;
    const answers: SimulationAnswer[] = [];
    for (const outcome of outcomes) {
      if (outcome.kind !== 'done') return outcome;
      answers.push(outcome.answer);
      if (isEnough(outcome.answer)) break;
    }
    return answers;
  }
}

const isEnough = (answer: SimulationAnswer): boolean => answer.type === 'survey' && endedEarly(answer.result);

const partsOf = ({ type: _, ...campaign }: Campaign): SimulationJob[] =>
  Array.from({ length: PARTS }, (_, n) => ({ ...campaign, type: 'survey', part: { n, of: PARTS } }));

const shrinkingOf = (finding: Finding, { shrinkRunsMax }: Campaign): SimulationJob => ({
  type: 'shrink',
  finding,
  ...(shrinkRunsMax === undefined ? {} : { shrinkRunsMax }),
});
