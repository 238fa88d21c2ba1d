// What a reviewer writes: `findings.yaml` of a round, and the file of a scripted one.
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { CourseError, type CourseProblem } from '../course/course-problem.ts';
import type { Criterion } from '../course/schema.ts';
import { nearestSlug } from '../course/slug.ts';
import { parseYaml } from '../course/validate.ts';

const LINES = /^[1-9]\d*(?:\s*-\s*[1-9]\d*)?$/;

/** A longer range names no place: the whole file would always be right. */
const LINES_MAX = 20;

const lineRange = z
  .union([z.number(), z.string()])
  .transform(String)
  .refine((written) => LINES.test(written), 'must be a line such as 12, or lines such as 12-14')
  .transform((written) => {
    const [from = 1, to = from] = written.split('-').map(Number);
    return { from: Math.min(from, to), to: Math.max(from, to) };
  })
  .refine(({ from, to }) => to - from < LINES_MAX, `must be ${LINES_MAX} lines at most: say where it is`);

const finding = z.strictObject({
  lines: lineRange,
  /** The promise that breaks: a criterion's id. */
  criterion: z.string().optional(),
  /** What it does to a user, in one's own words. */
  consequence: z.string().default(''),
});

const findingsFile = z.strictObject({
  findings: z.array(finding).nullable(),
  /** A file with the mended code, in place of the round's own. */
  code: z.string().optional(),
  /** Edits of the round's code: each `find` stands there once. */
  edits: z.array(z.strictObject({ find: z.string().min(1), replace: z.string() })).optional(),
});

export type Finding = z.infer<typeof finding>;
export interface Findings {
  readonly findings: readonly Finding[];
  readonly code?: string | undefined;
  readonly edits?: readonly { readonly find: string; readonly replace: string }[] | undefined;
}

/** Reads findings. `lineCount`: of the code as given. @throws CourseError that names each wrong field */
export function readFindings(
  text: string,
  file: string,
  criteria: readonly Pick<Criterion, 'id'>[],
  lineCount: number,
): Findings {
  const { findings, ...fix } = parseYaml(findingsFile, text, file);
  const all = findings ?? [];
  const problems = all.flatMap((one, at) => problemsOf(one, at, file, criteria, lineCount));
  if (problems.length > 0) throw new CourseError(problems);
  return { findings: all, ...fix };
}

function problemsOf(
  { lines, criterion }: Finding,
  at: number,
  file: string,
  criteria: readonly Pick<Criterion, 'id'>[],
  lineCount: number,
): CourseProblem[] {
  const ids = criteria.map(({ id }) => id);
  const beyond =
    lines.to > lineCount
      ? [
          {
            file,
            field: `findings[${at}].lines`,
            message: `must be lines of the code as given, which has ${lineCount}.`,
          },
        ]
      : [];
  if (criterion === undefined || ids.includes(criterion)) return beyond;
  const near = nearestSlug(criterion, ids);
  const advice = near === undefined ? `Choose one of ${ids.join(', ')}` : `Did you mean ${near}?`;
  const field = `findings[${at}].criterion`;
  return [...beyond, { file, field, message: `must be a criterion of the kata, but is ${criterion}. ${advice}` }];
}

/** The empty file, with all that is needed to fill it in. */
export function findingsTemplate(slug: string, criteria: readonly Criterion[]): string {
  const widest = Math.max(...criteria.map(({ id }) => id.length));
  return `# What is wrong in the code, one entry a finding. Mend code.ts itself; then: npx kata review ${slug} --done
#
# lines        a line, or a range of ${LINES_MAX} at most, as given.ts counts them, such as 12 or 12-14
# criterion    the promise that breaks: one of those below
# consequence  what that does to a user, in your own words
#
${criteria.map(({ id, title }) => `#   ${id.padEnd(widest)}  ${title}`).join('\n')}
#
# findings:
#   - lines: 12-14
#     criterion: ${criteria[0]?.id ?? 'id'}
#     consequence: After a lost answer the save takes effect twice.
findings: []
`;
}

/** The file with one more finding; comments and all else stay. @throws CourseError when it cannot be read */
export function withFinding(text: string, file: string, added: Finding): string {
  const document = parseDocument(text);
  const lines = added.lines.from === added.lines.to ? added.lines.from : `${added.lines.from}-${added.lines.to}`;
  const entry = {
    lines,
    ...(added.criterion === undefined ? {} : { criterion: added.criterion }),
    ...(added.consequence === '' ? {} : { consequence: added.consequence }),
  };
  const before = parseYaml(findingsFile, text, file).findings ?? [];
  if (before.length === 0) document.set('findings', document.createNode([entry]));
  else document.addIn(['findings'], document.createNode(entry));
  return document.toString({ lineWidth: 0 });
}
