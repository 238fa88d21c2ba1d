import type { CourseProblem } from './course-problem.ts';
import { kataFiles } from './kata-paths.ts';
import type { Spec } from './load-spec.ts';
import type { Criterion, Rubric } from './schema.ts';

/** What a kata's code offers as evidence, gathered by whoever runs it. */
export interface KataEvidence {
  /** The suite's tests. Tags: one criterion's id, and the rules and edge cases the test is about. */
  readonly tests: readonly { readonly name: string; readonly tags: readonly string[] }[];
  /** The scenario's and the built-in ones; `spec` may be empty. */
  readonly invariants: readonly { readonly id: string; readonly spec: readonly string[] }[];
  readonly budgets: readonly { readonly id: string; readonly spec: readonly string[] }[];
  /** The backend's routes, such as `POST /mutations`. */
  readonly routes: readonly string[];
  readonly mistakes: readonly { readonly id: string; readonly criterion: string }[];
}

const REFERENCE = /^[RE][1-9]\d?$/;

/** Every piece of evidence backs exactly one criterion; every criterion, rule and edge case has evidence. */
export function checkEvidence(spec: Spec, rubric: Rubric, evidence: KataEvidence): CourseProblem[] {
  return [
    ...checkTests(spec, rubric, evidence),
    ...checkListed('invariants', rubric, evidence),
    ...checkListed('budgets', rubric, evidence),
    ...checkSpecReferences(spec, rubric, evidence),
    ...checkBacking(rubric, evidence),
    ...checkRulesCovered(spec, rubric, evidence),
    ...checkMistakes(rubric, evidence),
  ];
}

function checkTests(spec: Spec, rubric: Rubric, { tests }: KataEvidence): CourseProblem[] {
  const file = kataFiles(rubric.kata).suite;
  const names = tests.map(({ name }) => name);
  return tests.flatMap(({ name, tags }, at) => {
    const messages = names.indexOf(name) === at ? [] : ['has the same title as another test. Give it its own.'];
    messages.push(...checkTags(spec, rubric, tags));
    return messages.map((message) => ({ file, field: `test "${name}"`, message }));
  });
}

function checkTags(spec: Spec, rubric: Rubric, tags: readonly string[]): string[] {
  const references = tags.filter((tag) => REFERENCE.test(tag));
  const named = [...new Set(tags.filter((tag) => !REFERENCE.test(tag)))];
  const criteria = rubric.criteria.filter(({ id }) => named.includes(id));
  const unknown = named.filter((tag) => !rubric.criteria.some(({ id }) => id === tag));
  const [criterion] = criteria;
  const foreign = references.filter((id) => id in spec.rules && criterion && !criterion.spec.includes(id));
  return [
    ...unknown.map((tag) => `has the tag ${tag}, which is neither a criterion of the rubric nor a rule. Mend it.`),
    ...(criteria.length === 1 ? [] : [oneCriterion(criteria)]),
    ...references.filter((id) => !(id in spec.rules)).map((id) => `has the tag ${id}, which the spec does not state.`),
    ...foreign.map(
      (id) => `is about ${id}, which its criterion ${criterion?.id} does not judge. Add it to its spec list.`,
    ),
  ];
}

const oneCriterion = (found: readonly Criterion[]): string =>
  found.length === 0
    ? 'must be tagged with the criterion it backs.'
    : `must back one criterion, but is tagged with ${found.map(({ id }) => id).join(' and ')}.`;

/** Invariants and budgets are named by the rubric: each by one criterion, and none that does not exist. */
function checkListed(kind: 'invariants' | 'budgets', rubric: Rubric, evidence: KataEvidence): CourseProblem[] {
  const { rubric: file, scenario } = kataFiles(rubric.kata);
  const known = evidence[kind].map(({ id }) => id);
  const named = rubric.criteria.flatMap((criterion, at) =>
    criterion[kind].map((id, nth) => ({ id, criterion: criterion.id, field: `criteria[${at}].${kind}[${nth}]` })),
  );
  const unknown = named.filter(({ id }) => !known.includes(id));
  return [
    ...unknown.map(({ id, field }) => ({
      file,
      field,
      message: `must name one of ${known.join(', ')}, but names ${id}.`,
    })),
    ...known.flatMap((id) => {
      const backed = named.filter((one) => one.id === id).map(({ criterion }) => criterion);
      if (backed.length === 1) return [];
      const found = backed.length === 0 ? 'backs none' : `backs ${backed.join(' and ')}`;
      const message = `must back one criterion, but ${found}. List it under one criterion of ${file}.`;
      return [{ file: scenario, field: `${kind} ${id}`, message }];
    }),
  ];
}

function checkSpecReferences(spec: Spec, rubric: Rubric, evidence: KataEvidence): CourseProblem[] {
  const file = kataFiles(rubric.kata).scenario;
  return (['invariants', 'budgets'] as const).flatMap((kind) =>
    evidence[kind].flatMap(({ id, spec: named }) =>
      named
        .filter((rule) => !(rule in spec.rules))
        .map((rule) => ({
          file,
          field: `${kind} ${id}`,
          message: `names ${rule}, which ${spec.file} does not state.`,
        })),
    ),
  );
}

function checkBacking(rubric: Rubric, { tests }: KataEvidence): CourseProblem[] {
  const file = kataFiles(rubric.kata).rubric;
  return rubric.criteria.flatMap((criterion, at) => {
    const { id, invariants, budgets, checks } = criterion;
    const isBacked =
      invariants.length + budgets.length + checks.length > 0 || tests.some(({ tags }) => tags.includes(id));
    const message = `has no evidence. Tag a test with ${id}, or list an invariant, a budget or a check.`;
    return isBacked ? [] : [{ file, field: `criteria[${at}]`, message }];
  });
}

/** A rule is covered when a criterion judges it and a piece of evidence is about it. */
function checkRulesCovered(spec: Spec, rubric: Rubric, evidence: KataEvidence): CourseProblem[] {
  const about = new Set([
    ...evidence.tests.flatMap(({ tags }) => tags),
    ...[...evidence.invariants, ...evidence.budgets].flatMap((one) => one.spec),
    ...rubric.criteria.filter(({ checks }) => checks.length > 0).flatMap((criterion) => criterion.spec),
  ]);
  const judged = new Set(rubric.criteria.flatMap((criterion) => criterion.spec));
  return Object.keys(spec.rules).flatMap((id) => {
    const messages = [
      ...(judged.has(id)
        ? []
        : [`is judged by no criterion. List it in the spec of one in ${kataFiles(spec.slug).rubric}.`]),
      ...(about.has(id) ? [] : [`has no evidence. Tag a test with ${id}, or name it in an invariant's spec.`]),
    ];
    return messages.map((message) => ({ file: spec.file, field: id, message }));
  });
}

function checkMistakes(rubric: Rubric, { mistakes }: KataEvidence): CourseProblem[] {
  const file = kataFiles(rubric.kata).mistakes;
  return mistakes.flatMap(({ id, criterion }, at) => {
    const messages = rubric.criteria.some((one) => one.id === criterion)
      ? []
      : [`must name the criterion that catches it, but ${criterion} is none of the rubric's.`];
    if (mistakes.findIndex((one) => one.id === id) !== at) messages.push('has the id of another mistake.');
    return messages.map((message) => ({ file, field: `mistake ${id}`, message }));
  });
}
