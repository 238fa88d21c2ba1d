import { existsSync } from 'node:fs';
import type { Kata } from '../course/catalogue.ts';
import type { Standing } from '../history/standing.ts';
import type { CommandContext } from './context.ts';

/** How the learner stands with each kata of the catalogue, by slug. Makes no history where none is. */
export async function readStandings(context: CommandContext): Promise<(kata: Kata) => Standing> {
  const history = await context.history({ readOnly: true });
  return (kata) => history.standing(kata, existsSync(kata.paths.attempt));
}
