import type { CourseProblem } from './course-problem.ts';
import { kataFiles } from './kata-paths.ts';
import type { Spec } from './load-spec.ts';
import type { Rubric } from './schema.ts';

/** What is wrong with a rubric's drill questions: each has a name of its own, and comes from rules there are. */
export function checkDrill({ kata, drill = [] }: Rubric, spec: Spec): CourseProblem[] {
  const file = kataFiles(kata).rubric;
  return drill.flatMap(({ id, ask, spec: named }, at): CourseProblem[] => {
    const first = drill.findIndex((other) => other.id === id);
    const same = drill.findIndex((other) => other.ask.trim() === ask.trim());
    const problems: [field: string, message: string][] = [
      ...(first === at ? [] : [['id', `must be of one question only, but ${id} is also drill[${first}].`] as const]),
      ...(same === at ? [] : [['ask', `asks the same as drill[${same}]. Take one of them out.`] as const]),
      ...named
        .filter((rule) => !(rule in spec.rules))
        .map((rule) => ['spec', `must name rules of ${spec.file}, but names ${rule}.`] as const),
    ].map(([field, message]) => [field, message]);
    return problems.map(([field, message]) => ({ file, field: `drill[${at}].${field}`, message }));
  });
}
