// Markdown for a terminal: headings, lists, tables and code, wrapped to its width, readable without colour.
import MarkdownIt, { type Token } from 'markdown-it';
import { columnsOf, type Look, padTo, paint, wrap } from '../../terminal/look.ts';
import { renderInline } from './render-inline.ts';
import { renderTable } from './render-table.ts';

/** One block with what it holds: markdown-it gives a flat list of openings and closings. */
interface Block {
  readonly token: Token;
  readonly children: readonly Block[];
}

/** Markdown as text for a terminal, without a line end at its end. */
export function renderMarkdown(look: Look, markdown: string): string {
  const tokens = new MarkdownIt({ html: false, linkify: false }).parse(markdown, {});
  return renderBlocks(look, nest(tokens));
}

function nest(tokens: readonly Token[]): Block[] {
  const top: Block[] = [];
  const open: Block[][] = [top];
  for (const token of tokens) {
    if (token.nesting === -1) open.pop();
    else {
      const children: Block[] = [];
      open.at(-1)?.push({ token, children });
      if (token.nesting === 1) open.push(children);
    }
  }
  return top;
}

function renderBlocks(look: Look, blocks: readonly Block[], gap = '\n\n'): string {
  return blocks
    .map((block) => renderBlock(look, block))
    .filter((text) => text !== '')
    .join(gap);
}

function renderBlock(look: Look, block: Block): string {
  const { token, children } = block;
  switch (token.type) {
    case 'heading_open':
      return renderHeading(look, token.tag, inlineOf(look, children));
    case 'paragraph_open':
      return wrap(look, inlineOf(look, children));
    case 'inline':
      return wrap(look, renderInline(look, token.children ?? []));
    case 'bullet_list_open':
      return renderList(look, children, () => '•');
    case 'ordered_list_open':
      return renderList(look, children, (nth) => `${Number(token.attrGet('start') ?? 1) + nth}.`);
    case 'blockquote_open':
      return prefixed(renderBlocks(narrower(look, 2), children), '│ ', '│ ');
    case 'fence':
    case 'code_block':
      return prefixed(paint(look, 'cyan', token.content.trimEnd()), '    ', '    ');
    case 'hr':
      return paint(look, 'dim', '─'.repeat(look.width));
    case 'table_open':
      return renderTable(look, cellsOf(look, children));
    default:
      return renderBlocks(look, children);
  }
}

function renderHeading(look: Look, tag: string, text: string): string {
  const plain = wrap(look, text);
  if (tag !== 'h1' && tag !== 'h2') return paint(look, 'bold', plain);
  const width = Math.max(...plain.split('\n').map(columnsOf));
  return `${paint(look, 'bold', plain)}\n${paint(look, 'dim', (tag === 'h1' ? '═' : '─').repeat(width))}`;
}

/** Items of a tight list stand line under line; loose ones keep a blank line between them. */
function renderList(look: Look, items: readonly Block[], markOf: (nth: number) => string): string {
  const isTight = items.every((item) =>
    item.children.every(({ token }) => token.type !== 'paragraph_open' || token.hidden),
  );
  const width = markOf(items.length - 1).length + 1;
  return items
    .map((item, nth) => {
      const body = renderBlocks(narrower(look, width), item.children, isTight ? '\n' : '\n\n');
      return prefixed(body, padTo(markOf(nth), width), ' '.repeat(width));
    })
    .join(isTight ? '\n' : '\n\n');
}

function cellsOf(look: Look, parts: readonly Block[]): string[][] {
  return parts
    .flatMap(({ children }) => children)
    .map((row) => row.children.map((cell) => inlineOf(look, cell.children)));
}

function inlineOf(look: Look, children: readonly Block[]): string {
  return children.map(({ token }) => renderInline(look, token.children ?? [])).join('');
}

const narrower = (look: Look, columns: number): Look => ({ ...look, width: Math.max(10, look.width - columns) });

function prefixed(text: string, first: string, rest: string): string {
  return text
    .split('\n')
    .map((line, nth) => `${nth === 0 ? first : rest}${line}`.trimEnd())
    .join('\n');
}
