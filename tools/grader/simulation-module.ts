// The module of the process that simulates: phone, world and a kata's scenario as one file, kept until one of them
// changes. To read and strip some hundred modules of their types would take longer than the first hundred schedules.
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';
import writeFileAtomic from 'write-file-atomic';
import { kataPaths } from '../course/kata-paths.ts';

/** The same in many modules, for where no file can be kept or the scenario cannot be compiled. Finds the scenario by `KATA_SCENARIO`. */
const IN_PARTS = path.join(import.meta.dirname, 'simulation-in-parts.ts');
const CHILD = path.join(import.meta.dirname, 'simulation-child.ts');
/** The last line says what it was made from. */
const STAMP = '\n//made from ';

export interface SimulationModule {
  /** Absolute path. */
  readonly file: string;
  /** Another one whenever something in it is. */
  readonly version: string;
}

/** The module that simulates attempts at a kata, as all that it is made of is now. */
export function simulationModule(root: string, slug: string): SimulationModule {
  const file = path.join(root, '.kata', 'cache', `simulation-${slug}.mjs`);
  try {
    if (!isFresh(file)) make(root, slug, file);
    return { file, version: stampOf(file) };
  } catch {
    // Nobody has looked whether it is the same as before.
    return { file: IN_PARTS, version: randomUUID() };
  }
}

function isFresh(file: string): boolean {
  const text = read(file);
  const at = text.lastIndexOf(STAMP);
  if (at === -1) return false;
  const stamps = JSON.parse(text.slice(at + STAMP.length)) as Record<string, string>;
  return Object.entries(stamps).every(([input, stamp]) => stampOf(input) === stamp);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Time and size: changes whenever the file does. */
function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats ? `${stats.mtimeMs}/${stats.size}` : '-';
}

function make(root: string, slug: string, file: string): void {
  const { scenario } = kataPaths(root, slug);
  const { outputFiles, metafile } = buildSync({
    stdin: {
      // What a scenario throws as it is loaded is told by the one who asks for a simulation.
      contents: `import { serveSimulations } from ${JSON.stringify(CHILD)};\nserveSimulations(() => import(${JSON.stringify(scenario)}));\n`,
      resolveDir: root,
      sourcefile: 'simulation.js',
    },
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'es2024',
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'silent',
    // Packages that are CommonJS ask for Node's modules.
    banner: { js: `import{createRequire}from'node:module';const require=createRequire(import.meta.url);` },
  });
  const inputs = Object.keys(metafile.inputs).filter((input) => input !== 'simulation.js');
  // A package that is replaced, or another path for `#simulator`, is another simulation.
  const files = [...inputs.map((input) => path.resolve(root, input)), path.join(root, 'package.json')];
  const stamps = Object.fromEntries(files.map((input) => [input, stampOf(input)]));
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileAtomic.sync(file, `${outputFiles[0]?.text ?? ''}${STAMP}${JSON.stringify(stamps)}`);
}
