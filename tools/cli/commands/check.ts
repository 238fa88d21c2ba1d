import type { Comparison } from '../../simulator/compare.ts';
import type { Costs } from '../../simulator/trace.ts';
import { columnsOf, padTo, wrap } from '../../terminal/look.ts';
import { simulateJob } from '../bundles.ts';
import { CommandError } from '../command-error.ts';
import type { CommandContext, RunCommand } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { requireAttempt } from '../grade-attempt.ts';
import { createProgress } from '../progress.ts';

interface Options {
  readonly schedules?: number;
  readonly seed?: number;
}

const SCHEDULES = 200;

const COST_WORDS: readonly (readonly [keyof Costs, string])[] = [
  ['requests', 'requests'],
  ['bytesSent', 'bytes sent'],
  ['bytesReceived', 'bytes received'],
  ['storageWrites', 'storage writes'],
  ['storageReads', 'storage reads'],
  ['storageBytes', 'bytes written to storage'],
  ['secureWrites', 'keychain writes'],
  ['secureReads', 'keychain reads'],
  ['timerWakeups', 'timers fired'],
  ['offlineWakeups', 'timers fired while offline'],
  ['stateChanges', 'state changes'],
  ['socketsOpened', 'sockets opened'],
  ['framesSent', 'frames sent'],
  ['framesReceived', 'frames received'],
];

/** Runs attempt and reference through the same schedules and says where they part and what each costs. */
export const run: RunCommand<Options> = async (context, [slug = ''], { schedules = SCHEDULES, seed = 1 }) => {
  requireAttempt(await context.kata(slug));
  const progress = createProgress();
  const { result } = await simulateJob(context.root, slug, 'attempt', { type: 'compare', seed, schedules }, (at) =>
    progress.say(`comparing, ${at}`),
  );
  progress.done();
  if (result.loadError)
    throw new CommandError(`The attempt could not be opened: ${result.loadError.text}`, EXIT.notGradable);
  show(context, slug, result);
  return EXIT.ok;
};

function show({ output }: CommandContext, slug: string, { schedules, differing, first, costs }: Comparison): void {
  const { look } = output;
  const title = `${slug}: your attempt beside the reference, ${schedules} schedules`;
  output.print(output.paint('bold', wrap(look, title)));
  output.print();
  if (first === null)
    output.print(wrap(look, 'In every one of them, user and server saw the same, in the same order.'));
  else {
    const { attempt, reference, atMs } = first.difference;
    output.print(
      wrap(
        look,
        `In ${differing} of them user or server saw something else. That need not be wrong: order and timing are free where the spec leaves them free. The first, ${first.path}:`,
      ),
    );
    for (const [n, step] of first.steps.entries())
      output.print(wrap(look, `${n + 1}. ${step}`, { indent: 2, hang: 5 }));
    output.print(wrap(look, `then, ${(atMs / 1000).toFixed(1)} s into the run:`, { indent: 2 }));
    output.print(wrap(look, `yours:     ${attempt}`, { indent: 4, hang: 15 }));
    output.print(wrap(look, `reference: ${reference}`, { indent: 4, hang: 15 }));
  }
  output.print();
  for (const line of costTable(costs, output.look.width)) output.print(line);
}

/** A table; where that is too wide, the words on a line of their own. */
function costTable({ attempt, reference }: Comparison['costs'], width: number): string[] {
  const rows = COST_WORDS.map(([key, words]) =>
    [words, attempt[key], reference[key], times(attempt[key], reference[key])].map(String),
  );
  const table = [['cost, all schedules', 'yours', 'reference', 'times'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => columnsOf(row[column] ?? ''))));
  const figures = (row: string[]) => row.slice(1).map((cell, n) => cell.padStart(widths[n + 1] ?? 0));
  const isWide = widths.reduce((sum, each) => sum + each + 2, -2) <= width;
  return table.flatMap((row) =>
    isWide
      ? [[padTo(row[0] ?? '', widths[0] ?? 0), ...figures(row)].join('  ')]
      : [row[0] ?? '', `  ${figures(row).join('  ')}`],
  );
}

const times = (attempt: number, reference: number): string =>
  reference === 0 ? (attempt === 0 ? '1.0' : '-') : (attempt / reference).toFixed(1);
