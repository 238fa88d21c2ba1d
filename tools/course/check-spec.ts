import type { CourseProblem } from './course-problem.ts';
import { SPEC_SECTIONS, type Spec } from './load-spec.ts';

const MINUTES = { pattern: [30, 45], feature: [60, 90] } as const;

/** What is wrong within a spec. `routes` are the backend's, such as `POST /mutations`. */
export function checkSpec(spec: Spec, routes: readonly string[]): CourseProblem[] {
  const problem = (field: string | null, message: string): CourseProblem => ({ file: spec.file, field, message });
  return [
    ...checkMinutes(spec).map((message) => problem('minutes', message)),
    ...checkSections(spec).map(([section, message]) => problem(`## ${section}`, message)),
    ...checkRules(spec).map(([rule, message]) => problem(rule, message)),
    ...checkEndpoints(spec, routes).map((message) => problem('## API Endpoints', message)),
    ...(spec.opening === '' ? [problem(null, 'has no opening. Put a paragraph before the first section.')] : []),
    ...(spec.dataModels === '' ? [problem('## Data Models', 'must hold the contract’s types in a ```ts block.')] : []),
  ];
}

function checkMinutes({ tier, minutes }: Spec): string[] {
  const [least, most] = MINUTES[tier];
  const isWithin = minutes >= least && minutes <= most;
  return isWithin ? [] : [`must be from ${least} to ${most} for a ${tier}, but is ${minutes}. Cut or move the kata.`];
}

function checkSections({ sections }: Spec): [string, string][] {
  const names = sections.map(({ name }) => name);
  const problems = SPEC_SECTIONS.flatMap((name): [string, string][] => {
    const count = names.filter((one) => one === name).length;
    if (count === 0) return [[name, `is missing. Add the heading ## ${name}, spelt just so.`]];
    if (count > 1) return [[name, `stands ${count} times. Make it one section.`]];
    const isEmpty = sections.some((section) => section.name === name && section.text === '');
    return isEmpty ? [[name, 'is empty. Write it, or say in a sentence why there is nothing to say.']] : [];
  });
  if (problems.length > 0) return problems;
  const order = names.filter((name) => SPEC_SECTIONS.some((known) => known === name));
  const [misplaced] = SPEC_SECTIONS.filter((name, at) => order[at] !== name);
  return misplaced ? [[misplaced, `is out of order. The order is: ${SPEC_SECTIONS.join(', ')}.`]] : [];
}

function checkRules({ stated, rules }: Spec): [string, string][] {
  const inText = new Set(stated.map(({ id }) => id));
  const unstated = Object.keys(rules).filter((id) => !inText.has(id));
  return [
    ...stated
      .filter(({ level }) => level === null)
      .map(({ id }): [string, string] => [
        `rules.${id}`,
        `is missing. The text states ${id}: give its level (mid, senior or staff) in the front matter.`,
      ]),
    ...unstated.map((id): [string, string] => [
      `rules.${id}`,
      `is not stated in the text. Write it as a list item: - **${id}** and what must hold.`,
    ]),
    ...stated
      .filter(({ text }) => text === '')
      .map(({ id }): [string, string] => [id, 'is empty. Say what must hold.']),
    ...gaps([...inText]).map((id): [string, string] => [id, 'is missing. Number rules and edge cases without gaps.']),
  ];
}

/** R1, R2, R4 leaves a gap at R3. */
function gaps(ids: readonly string[]): string[] {
  return ['R', 'E'].flatMap((letter) => {
    const numbers = ids.filter((id) => id.startsWith(letter)).map((id) => Number(id.slice(1)));
    const all = Array.from({ length: Math.max(0, ...numbers) }, (_, index) => index + 1);
    return all.filter((number) => !numbers.includes(number)).map((number) => `${letter}${number}`);
  });
}

function checkEndpoints({ endpoints }: Spec, routes: readonly string[]): string[] {
  const unserved = endpoints.filter((endpoint) => !routes.includes(endpoint));
  const untold = [...new Set(routes)].filter((route) => !endpoints.includes(route));
  const twice = endpoints.filter((endpoint, at) => endpoints.indexOf(endpoint) !== at);
  return [
    ...unserved.map((one) => `lists ${one}, which the backend does not serve. Add the route or take the row out.`),
    ...untold.map((one) => `says nothing of ${one}, which the backend serves. Add a row to the table.`),
    ...twice.map((one) => `lists ${one} twice. Make it one row.`),
  ];
}
