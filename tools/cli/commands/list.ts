import type { RunCommand } from '../context.ts';
import { renderMap } from '../course-map.ts';
import { EXIT } from '../exit-code.ts';
import { readStandings } from '../standings.ts';

/** Prints the map. */
export const run: RunCommand = async (context) => {
  const catalogue = await context.catalogue();
  context.output.print(renderMap(context.output.look, catalogue, await readStandings(context)));
  return EXIT.ok;
};
