// Is a kata's content whole: is everything it promises judged, and everything judged promised?
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkDrill } from './check-drill.ts';
import { checkEvidence, type KataEvidence } from './check-evidence.ts';
import { checkInterview } from './check-interview.ts';
import { checkRubric } from './check-rubric.ts';
import { checkSolutions } from './check-solutions.ts';
import { checkSpec } from './check-spec.ts';
import { CourseError, type CourseProblem } from './course-problem.ts';
import { kataFiles } from './kata-paths.ts';
import { loadRubric } from './load-rubric.ts';
import { loadSpec, type Spec } from './load-spec.ts';
import type { Rubric } from './schema.ts';

export type { KataEvidence } from './check-evidence.ts';

/** All that is wrong with a kata's content, from its files and what was gathered by running it. Empty when it is whole. */
export async function checkKata(root: string, slug: string, evidence: KataEvidence): Promise<CourseProblem[]> {
  const missing = [...checkFiles(root, slug), ...(await checkSolutions(root, slug))];
  try {
    const [spec, rubric] = [await loadSpec(root, slug), await loadRubric(root, slug)];
    return [...missing, ...checkContent(spec, rubric, evidence)];
  } catch (error) {
    if (!(error instanceof CourseError)) throw error;
    const known = new Set(missing.map(({ file }) => file));
    return [...missing, ...error.problems.filter(({ file }) => !known.has(file))];
  }
}

/** The same for a spec and a rubric already read. */
export function checkContent(spec: Spec, rubric: Rubric, evidence: KataEvidence): CourseProblem[] {
  return [
    ...checkSpec(spec, evidence.routes),
    ...checkRubric(rubric, spec),
    ...checkInterview(rubric),
    ...checkDrill(rubric, spec),
    ...checkEvidence(spec, rubric, evidence),
  ];
}

/** Whether every file of a kata is there. */
export function checkFiles(root: string, slug: string): CourseProblem[] {
  return Object.values(kataFiles(slug))
    .filter((file) => !existsSync(join(root, file)))
    .map((file) => ({ file, field: null, message: 'is missing. Every kata has it: write it.' }));
}

/** What katas build on: each exists, and none builds on itself by a detour. */
export function checkOrder(
  katas: readonly { readonly slug: string; readonly buildsOn: readonly string[] }[],
): CourseProblem[] {
  const bySlug = new Map(katas.map(({ slug, buildsOn }) => [slug, buildsOn]));
  const reaches = (from: string, target: string, seen = new Set<string>()): boolean =>
    (bySlug.get(from) ?? []).some((next) => {
      if (next === target) return true;
      if (seen.has(next)) return false;
      return reaches(next, target, seen.add(next));
    });
  return katas.flatMap(({ slug, buildsOn }) => {
    const at = { file: kataFiles(slug).spec, field: 'buildsOn' };
    const unknown = buildsOn
      .filter((name) => !bySlug.has(name))
      .map((name) => ({ ...at, message: `must name katas there are, but names ${name}. Mend or remove it.` }));
    if (!reaches(slug, slug)) return unknown;
    return [...unknown, { ...at, message: `leads back to ${slug} itself. Take one step out of the circle.` }];
  });
}
