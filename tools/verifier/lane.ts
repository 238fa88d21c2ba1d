// One of the lanes that grade variants side by side: a warm Vitest and a warm simulation.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { kataPaths } from '../course/kata-paths.ts';
import { type GradeOptions, grade } from '../grader/grade.ts';
import type { Report } from '../grader/report.ts';
import { Simulation } from '../grader/simulation.ts';
import { SuiteRunner } from '../grader/suite-runner.ts';
import type { Target } from '../grader/target.ts';
import { makeVariant } from '../grader/variants.ts';

export class Lane {
  readonly root: string;
  readonly slug: string;
  readonly seed: number;
  readonly #runner: SuiteRunner;
  #simulation: Simulation;

  constructor(root: string, slug: string, seed: number) {
    this.root = root;
    this.slug = slug;
    this.seed = seed;
    this.#runner = new SuiteRunner({ root, isReference: true });
    this.#simulation = new Simulation(root, { isReused: true });
  }

  /** Grades a target, as a learner's grade would but for the form of its code. */
  grade(target: Target, schedules: number, more: Partial<GradeOptions> = {}): Promise<Report> {
    if (this.#simulation.isSpent) this.#simulation = new Simulation(this.root, { isReused: true });
    return grade({
      root: this.root,
      slug: this.slug,
      title: this.slug,
      target,
      schedules,
      seed: this.seed,
      runner: this.#runner,
      simulation: this.#simulation,
      changed: [target.file, target.suite],
      skipsChecks: true,
      shrinkRunsMax: 0,
      ...more,
    });
  }

  /** A target made from a file of the kata's. */
  async variantOf(file: string, id: string): Promise<Target> {
    return makeVariant(this.root, this.slug, id, await readFile(file, 'utf8'), path.dirname(file));
  }

  /** A target made from a text whose relative imports are meant from the kata's folder. */
  variant(id: string, source: string): Promise<Target> {
    return makeVariant(this.root, this.slug, id, source, kataPaths(this.root, this.slug).folder);
  }

  /** A target made from an edited reference. */
  editedReference(id: string, source: string): Promise<Target> {
    return makeVariant(this.root, this.slug, id, source);
  }

  stop(): void {
    this.#runner.stop();
    this.#simulation.stop();
  }
}
