// Small pieces of a report's page.
import { escapeMarkup } from './escape.ts';

/** A text as it may stand in the page; what is between backticks as code. */
export const words = (text: string): string => escapeMarkup(text).replace(/`([^`\n]+)`/g, '<code>$1</code>');

/** A criterion's level as a small label. */
export const levelLabel = (level: string | undefined): string =>
  level === undefined ? '' : ` <span class="level">${escapeMarkup(level)}</span>`;

/** A command that can be copied, with what it does. */
export const commandLine = (command: string, does = ''): string =>
  `<p class="command"><code data-copy="the command">${escapeMarkup(command)}</code>${does === '' ? '' : `<span>${words(does)}</span>`}</p>`;

/** A section with its heading; nothing when it holds nothing. */
export const section = (title: string, parts: readonly string[]): string =>
  parts.length === 0 ? '' : `<section>\n<h2>${escapeMarkup(title)}</h2>\n${parts.join('\n')}\n</section>`;
