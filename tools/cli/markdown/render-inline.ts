import type { Token } from 'markdown-it';
import { type Look, paint, type Style } from '../../terminal/look.ts';

const OPENING: Readonly<Record<string, Style>> = { strong_open: 'bold', em_open: 'italic', s_open: 'strikethrough' };

/** The inside of a paragraph as one line of text, not yet wrapped. Code keeps its backticks where colour is off. */
export function renderInline(look: Look, tokens: readonly Token[]): string {
  let text = '';
  let at = 0;
  while (at < tokens.length) {
    const token = tokens[at];
    if (token === undefined) break;
    const style = OPENING[token.type];
    if (style !== undefined || token.type === 'link_open') {
      const end = closingOf(tokens, at);
      const inner = renderInline(look, tokens.slice(at + 1, end));
      text += style === undefined ? renderLink(look, token, inner) : paint(look, style, inner);
      at = end + 1;
    } else {
      text += renderOne(look, token);
      at += 1;
    }
  }
  return text;
}

function renderOne(look: Look, token: Token): string {
  switch (token.type) {
    case 'code_inline':
      return look.colour ? paint(look, 'cyan', token.content) : `\`${token.content}\``;
    case 'softbreak':
      return ' ';
    case 'hardbreak':
      return '\n';
    case 'image':
      return `[picture: ${token.content}]`;
    default:
      return token.content;
  }
}

/** A link within the project says nothing on a terminal; one to elsewhere shows where it goes. */
function renderLink(look: Look, token: Token, text: string): string {
  const target = String(token.attrGet('href') ?? '');
  if (!/^https?:/.test(target) || text === target) return text;
  return `${text} (${paint(look, 'dim', target)})`;
}

function closingOf(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let at = from; at < tokens.length; at += 1) {
    depth += tokens[at]?.nesting ?? 0;
    if (depth === 0) return at;
  }
  return tokens.length;
}
