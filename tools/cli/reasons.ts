// Why the reference is as it is: paragraphs of its notes, found by the names they explain.

/** A paragraph or list item of `notes.md`. */
export interface Note {
  readonly section: string;
  /** Without Markdown's marks. */
  readonly text: string;
  /** Names of the reference that it explains. */
  readonly names: readonly string[];
}

/** A comment that says what the paragraph below it explains: `<!-- explains: deliver, fail -->`. */
const EXPLAINS = /^<!--\s*explains:\s*(.*?)\s*-->$/;
/** Where names between backticks are the reference's, and not another design's. */
const ABOUT_THE_CODE = ['Why it is built this way', 'What was traded'];
const DECLARED = /^(\s*)(?:export\s+)?(?:async\s+)?(?:function\*?|const|let|class|interface|type)\s+([\w$]+)/;
const MEMBER = /^(\s*)(?:async\s+|get\s+)?(#?[\w$]+)\s*\([^()]*(?:\([^()]*\)[^()]*)*\)(?:\s*:[^={]+)?\s*\{$/;
/** A field of a record, or a property: explained only where a comment says so, for such names are everywhere. */
const FIELD = /^\s*(?:readonly\s+)?([\w$]+)\??: /;
const KEYWORDS = ['if', 'for', 'while', 'switch', 'catch', 'function', 'return'];

/** Names that a module declares, at any depth: functions, values and types, then fields. */
export const declaredNames = (code: string): string[] => [...new Set([...namesOf(code), ...fieldsOf(code)])];

const namesOf = (code: string): string[] => code.split('\n').flatMap((line) => nameIn(line)?.name ?? []);
const fieldsOf = (code: string): string[] => code.split('\n').flatMap((line) => FIELD.exec(line)?.[1] ?? []);

function nameIn(line: string): { readonly name: string; readonly indent: number } | null {
  const [, indent = '', name = ''] = DECLARED.exec(line) ?? MEMBER.exec(line) ?? [];
  return name === '' || KEYWORDS.includes(name) ? null : { name, indent: indent.length };
}

/** Names a comment says are explained, whether the reference has them or not: for the check of the notes. */
export const namesPromised = (notes: string): string[] =>
  notes.split('\n').flatMap((line) => EXPLAINS.exec(line.trim())?.[1]?.split(/\s*,\s*/) ?? []);

/**
 * The notes of a reference. Without a comment, the names between backticks are what a paragraph explains, in the
 * sections that are about the code; names that the reference does not declare are left out.
 */
export function readNotes(notes: string, reference: string): Note[] {
  const [known, own] = [declaredNames(reference), namesOf(reference)];
  let section = '';
  let promised: string[] = [];
  return blocksOf(notes).flatMap((block) => {
    const heading = /^#+ +(.*)$/.exec(block);
    if (heading) {
      section = heading[1] ?? '';
      return [];
    }
    const explains = EXPLAINS.exec(block);
    if (explains) {
      promised = (explains[1] ?? '').split(/\s*,\s*/);
      return [];
    }
    const isSaid = promised.length > 0 || !ABOUT_THE_CODE.includes(section);
    const names = isSaid
      ? promised.filter((name) => known.includes(name))
      : tickedIn(block).filter((name) => own.includes(name));
    promised = [];
    return [{ section, text: plain(block), names: [...new Set(names)] }];
  });
}

const tickedIn = (block: string): string[] => [...block.matchAll(/`([\w$#]+)(?:\(\))?`/g)].map(([, name = '']) => name);

/** Paragraphs, headings, comments and list items, each with its lines joined. */
function blocksOf(notes: string): string[] {
  const blocks: string[][] = [[]];
  for (const line of notes.replaceAll('\r\n', '\n').split('\n')) {
    const isAlone = /^#+ /.test(line) || EXPLAINS.test(line.trim());
    if (line.trim() === '' || isAlone || /^[-*] |^\d+\. /.test(line)) blocks.push([]);
    blocks.at(-1)?.push(line.trim());
    if (isAlone) blocks.push([]);
  }
  return blocks.map((lines) => lines.join(' ').trim()).filter((block) => block !== '');
}

const plain = (text: string): string => text.replace(/^(?:[-*]|\d+\.) +/, '').replaceAll('**', '');

/** Names that lines of the code are about: what they declare, and what they stand in. Lines count from 1. */
export function namesAround(code: string, from: number, to: number): string[] {
  const lines = code.split('\n');
  const own = declaredNames(lines.slice(from - 1, to).join('\n'));
  const around: string[] = [];
  let indent = indentOf(lines[from - 1] ?? '');
  for (let at = from - 2; at >= 0 && indent > 0; at -= 1) {
    const line = lines[at] ?? '';
    if (line.trim() === '' || indentOf(line) >= indent) continue;
    indent = indentOf(line);
    const found = nameIn(line);
    if (found) around.push(found.name);
  }
  return [...new Set([...own, ...around])];
}

const indentOf = (line: string): number => line.search(/\S|$/);

/** The first sentence of a note, which says what it is about. */
export const leadOf = ({ text }: Note): string => /^.*?[.?!](?=\s|$)/.exec(text)?.[0] ?? text;
