import type { CourseProblem } from './course-problem.ts';
import { kataFiles } from './kata-paths.ts';
import type { Spec } from './load-spec.ts';
import { type Criterion, LEVELS, type Level, type Rubric } from './schema.ts';

/** What is wrong within a rubric, and between it and its spec. */
export function checkRubric(rubric: Rubric, spec: Spec): CourseProblem[] {
  const file = kataFiles(rubric.kata).rubric;
  const sum = rubric.criteria.reduce((points, criterion) => points + criterion.points, 0);
  const weights = sum === 100 ? [] : [`must have points that sum to 100, but they sum to ${sum}.`];
  return [
    ...weights.map((message) => ({ file, field: 'criteria', message })),
    ...rubric.criteria.flatMap((criterion, at) =>
      [
        ...checkId(rubric, at),
        ...checkHints(criterion),
        ...checkReferences(criterion, spec),
        ...checkLevel(criterion, spec),
      ].map(([field, message]) => ({ file, field: `criteria[${at}].${field}`, message })),
    ),
  ];
}

type FieldMessage = [field: string, message: string];

function checkId({ criteria }: Rubric, at: number): FieldMessage[] {
  const id = criteria[at]?.id ?? '';
  const first = criteria.findIndex((criterion) => criterion.id === id);
  return first === at ? [] : [['id', `must be of one criterion only, but ${id} is also criteria[${first}].`]];
}

function checkHints({ hints }: Criterion): FieldMessage[] {
  const plain = hints.map((hint) => hint.trim().toLowerCase());
  return plain.flatMap((hint, at): FieldMessage[] => {
    if (hint === '') return [[`hints[${at}]`, 'must not be empty. Write a hint that goes one step further.']];
    const first = plain.indexOf(hint);
    return first === at ? [] : [[`hints[${at}]`, `says the same as hints[${first}]. Each hint goes one step further.`]];
  });
}

function checkReferences({ spec: named }: Criterion, spec: Spec): FieldMessage[] {
  return named.flatMap((id, at): FieldMessage[] => {
    if (!(id in spec.rules)) return [[`spec[${at}]`, `must name a rule of ${spec.file}, but names ${id}.`]];
    return named.indexOf(id) === at ? [] : [[`spec[${at}]`, `names ${id} a second time. Take it out.`]];
  });
}

/** A criterion is earned only by all it judges: so it speaks for the highest level among its rules. */
function checkLevel({ level, spec: named }: Criterion, spec: Spec): FieldMessage[] {
  const ranks = named.flatMap((id) => {
    const rule = spec.rules[id];
    return rule === undefined ? [] : [LEVELS.indexOf(rule)];
  });
  const highest: Level | undefined = LEVELS[Math.max(...ranks)];
  if (highest === undefined || highest === level) return [];
  return [['level', `must be ${highest}, the highest among its rules ${named.join(', ')}, but is ${level}.`]];
}
