import { readFile } from 'node:fs/promises';
import type { RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';

/** Prints the spec for reading, or as it is. */
export const run: RunCommand<{ raw?: boolean }> = async (context, [slug = ''], { raw = false }) => {
  const { output } = context;
  const kata = await context.kata(slug);
  if (raw) {
    output.print((await readFile(kata.paths.spec, 'utf8')).trimEnd());
    return EXIT.ok;
  }
  const { loadSpec } = await import('../../course/load-spec.ts');
  const { renderMarkdown } = await import('../markdown/render-markdown.ts');
  const { markdown } = await loadSpec(context.root, slug);
  const title = markdown.startsWith('# ') ? '' : `# ${kata.title}\n\n`;
  output.print(renderMarkdown(output.look, title + markdown));
  return EXIT.ok;
};
