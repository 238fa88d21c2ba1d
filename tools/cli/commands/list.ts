import type { RunCommand } from '../context.ts';
import { renderMap } from '../course-map.ts';
import { EXIT } from '../exit-code.ts';
import { renderDrill } from '../render-drill.ts';
import { readStandings } from '../standings.ts';

/** Prints the map. */
export const run: RunCommand = async (context) => {
  const catalogue = await context.catalogue();
  const { look, print } = context.output;
  print(renderMap(look, catalogue, await readStandings(context)));
  const drill = renderDrill(look, (await context.history()).drillCards(), context.nowMs());
  if (drill !== null) print(`\n${drill}`);
  return EXIT.ok;
};
