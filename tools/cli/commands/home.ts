import { existsSync } from 'node:fs';
import { chooseKata } from '../choose-kata.ts';
import type { RunCommand } from '../context.ts';
import { renderMap } from '../course-map.ts';
import { EXIT } from '../exit-code.ts';
import { runCommand } from '../main.ts';
import { renderDrill } from '../render-drill.ts';
import { readStandings } from '../standings.ts';

/** Prints the map; on a terminal lets the learner choose a kata, and goes on to watch it. */
export const run: RunCommand = async (context) => {
  const { output } = context;
  const catalogue = await context.catalogue();
  const standingOf = await readStandings(context);
  output.print(renderMap(output.look, catalogue, standingOf));
  const drill = renderDrill(output.look, (await context.history()).drillCards(), context.nowMs());
  if (drill !== null) output.print(`\n${drill}`);
  if (!output.isInteractive || catalogue.katas.length === 0) return EXIT.ok;
  output.print();
  const choice = await chooseKata(catalogue.katas, standingOf);
  if (choice === 'interrupted') return EXIT.interrupted;
  if (choice === 'none') return EXIT.ok;
  if (!existsSync(choice.paths.attempt)) {
    const exitCode = await runCommand(context, 'start', [choice.slug]);
    if (exitCode !== EXIT.ok) return exitCode;
  }
  return runCommand(context, 'watch', [choice.slug]);
};
