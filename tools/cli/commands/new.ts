import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { kataFiles } from '../../course/kata-paths.ts';
import { keepNewFile } from '../../course/keep-file.ts';
import { SLUG } from '../../course/slug.ts';
import { wrap } from '../../terminal/look.ts';
import { CommandError } from '../command-error.ts';
import type { RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { scaffold } from '../scaffold/scaffold.ts';

/** Writes all files of a new kata: a tiny one that works. Touches nothing that is there. */
export const run: RunCommand = async ({ root, output }, [slug = '']) => {
  if (!SLUG.test(slug)) {
    throw new CommandError(`${slug} cannot be a kata's name. Use lower-case words joined by hyphens: photo-upload.`);
  }
  refuseTaken(root, slug);
  for (const { file, text } of await scaffold(slug)) {
    const isWritten = await keepNewFile(join(root, file), text);
    if (!isWritten) throw new CommandError(`${file} came into being just now and is left alone. Choose another name.`);
    output.print(`  ${file}`);
  }
  const says = `The kata ${slug} is a tiny one that works. Make it yours, beginning with its spec.`;
  output.print(`\n${wrap(output.look, says)}`);
  output.print(wrap(output.look, `To see whether it is sound: npx kata verify ${slug}`));
  return EXIT.ok;
};

function refuseTaken(root: string, slug: string): void {
  const [taken] = [`katas/${slug}`, ...Object.values(kataFiles(slug))].filter((file) => existsSync(join(root, file)));
  if (taken !== undefined) throw new CommandError(`The name ${slug} is taken: ${taken} exists. Choose another name.`);
}
