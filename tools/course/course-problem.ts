// What is wrong with the course's own files, said so that its author can mend it.

/** One thing wrong in one file of the course. */
export interface CourseProblem {
  /** Path from the course's root, with forward slashes. */
  readonly file: string;
  /** Where in the file, such as `criteria[3].points`; null when it is the file as a whole. */
  readonly field: string | null;
  /** What must be there, what is there, and what to do. */
  readonly message: string;
}

/** `rubric/offline-queue.yaml: criteria[3].points: must be …` */
export function describeProblem({ file, field, message }: CourseProblem): string {
  return field === null ? `${file}: ${message}` : `${file}: ${field}: ${message}`;
}

/** A file of the course cannot be used. Its message lists every problem, one a line. */
export class CourseError extends Error {
  readonly problems: readonly CourseProblem[];

  constructor(problems: readonly CourseProblem[]) {
    super(problems.map(describeProblem).join('\n'));
    this.name = 'CourseError';
    this.problems = problems;
  }
}
