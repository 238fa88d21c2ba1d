// Reads a spec: front matter, sections, rules, endpoints and data models.
import { CourseError } from './course-problem.ts';
import { kataFiles } from './kata-paths.ts';
import { readCourseText } from './read-text.ts';
import { type Level, type SpecFrontMatter, specFrontMatter } from './schema.ts';
import { parseYaml } from './validate.ts';

/** The sections of every spec, in order, by their exact names. */
export const SPEC_SECTIONS = [
  'Requirements',
  'Caching',
  'Offline & Sync Strategy',
  'Data Models',
  'API Endpoints',
  'Client Implementation',
  'Edge Cases',
] as const;
export type SpecSectionName = (typeof SPEC_SECTIONS)[number];

export interface SpecSection {
  readonly name: string;
  /** Without its heading. */
  readonly text: string;
}

/** A rule (R1…) or an edge case (E1…) as the spec states it. */
export interface SpecRule {
  readonly id: string;
  readonly text: string;
  /** From the front matter; null when it is not listed there. */
  readonly level: Level | null;
}

export interface Spec extends SpecFrontMatter {
  readonly slug: string;
  /** Path from the course's root. */
  readonly file: string;
  /** All below the front matter. */
  readonly markdown: string;
  /** What stands before the first section, without the title. */
  readonly opening: string;
  readonly sections: readonly SpecSection[];
  /** In the order of the text, each once. The level of each is in `rules` of the front matter as well. */
  readonly stated: readonly SpecRule[];
  /** Method and path of each row of the endpoint table, such as `POST /mutations`. */
  readonly endpoints: readonly string[];
  /** The TypeScript of the section Data Models. */
  readonly dataModels: string;
}

/** A kata's spec. @throws CourseError that names each wrong field of the front matter */
export async function loadSpec(root: string, slug: string): Promise<Spec> {
  const file = kataFiles(slug).spec;
  return readSpec(await readCourseText(root, file), slug, file);
}

/** The same from its text. `file` is how messages call it. */
export function readSpec(text: string, slug: string, file: string): Spec {
  const { yaml, markdown } = splitFrontMatter(text, file);
  const frontMatter = parseYaml(specFrontMatter, yaml, file, 2);
  const { opening, sections } = splitSections(markdown);
  const textOf = (name: SpecSectionName) => sections.find((section) => section.name === name)?.text ?? '';
  return {
    ...frontMatter,
    slug,
    file,
    markdown,
    opening,
    sections,
    stated: readRules(markdown, frontMatter.rules),
    endpoints: readEndpoints(textOf('API Endpoints')),
    dataModels: readCode(textOf('Data Models')),
  };
}

function splitFrontMatter(text: string, file: string): { yaml: string; markdown: string } {
  const found = /^---\n([\s\S]*?)\n---\n/.exec(text);
  if (found) return { yaml: found[1] ?? '', markdown: text.slice(found[0].length).trim() };
  const message = 'must begin with front matter: a line ---, then title, tier, minutes…, then a line ---.';
  throw new CourseError([{ file, field: 'line 1', message }]);
}

function splitSections(markdown: string): { opening: string; sections: SpecSection[] } {
  const parts: { name: string; lines: string[] }[] = [{ name: '', lines: [] }];
  for (const { line, isCode } of linesOf(markdown)) {
    const heading = isCode ? null : /^## +(.+?) *#*$/.exec(line);
    if (heading) parts.push({ name: heading[1] ?? '', lines: [] });
    else parts.at(-1)?.lines.push(line);
  }
  const [before, ...after] = parts.map(({ name, lines }) => ({ name, text: lines.join('\n').trim() }));
  return { opening: (before?.text ?? '').replace(/^# .*\n*/, ''), sections: after };
}

/** A rule stands in a list, a heading or a table row, or begins a line in bold: `- **R1** text`. */
const RULE = /^ *(?:(?:[-*+]|\d+[.)]|#{3,6}|\|) +(?:\*\*)?|\*\*)([RE][1-9]\d?)(?!\w)(.*)$/;

function readRules(markdown: string, levels: SpecFrontMatter['rules']): SpecRule[] {
  const rules = new Map<string, string[]>();
  let open: string[] | undefined;
  for (const { line, isCode } of linesOf(markdown)) {
    const begun = isCode ? null : RULE.exec(line);
    const [, id = '', rest = ''] = begun ?? [];
    if (begun && !rules.has(id)) {
      open = [rest.replace(/\|\s*$/, '')];
      rules.set(id, open);
    } else if (isCode || !/^ +\S/.test(line)) open = undefined;
    else open?.push(line.trim());
  }
  return [...rules].map(([id, lines]) => ({ id, text: plainRule(lines), level: levels[id] ?? null }));
}

const plainRule = (lines: readonly string[]): string =>
  lines
    .join(' ')
    .replace(/^[\s.:|)*\u2013\u2014-]+/, '')
    .replaceAll('**', '')
    .replaceAll(/\s+/g, ' ')
    .trim();

/** Reads `| POST | /mutations | …` and `` | `POST /mutations` | … `` alike. */
function readEndpoints(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.trimStart().startsWith('|'))
    .flatMap((line) => {
      const words = line.replaceAll(/[|`*\s]+/g, ' ').trim();
      const found = /^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) (\/[^\s?]*)/.exec(words);
      return found ? [`${found[1]} ${found[2]}`] : [];
    });
}

function readCode(text: string): string {
  return [...text.matchAll(/^```(?:ts|typescript)\n([\s\S]*?)^```/gm)].map((found) => found[1] ?? '').join('\n');
}

function linesOf(markdown: string): { line: string; isCode: boolean }[] {
  let fence: string | null = null;
  return markdown.split('\n').map((line) => {
    const mark = /^ *(`{3,}|~{3,})/.exec(line)?.[1]?.slice(0, 3) ?? null;
    const isCode = fence !== null || mark !== null;
    if (fence === null) fence = mark;
    else if (mark === fence) fence = null;
    return { line, isCode };
  });
}
