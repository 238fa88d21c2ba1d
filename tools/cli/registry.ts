// Every command: its arguments, options and help. Its code is in `commands/<name>.ts`, loaded when it runs.

export interface OptionEntry {
  /** As commander writes it, such as `--port <number>`. */
  readonly flags: string;
  readonly says: string;
  /** What the value must be. Text when left out. */
  readonly value?: 'count' | 'seed' | 'port' | 'number' | readonly string[];
}

export interface CommandEntry {
  readonly name: string;
  readonly says: string;
  /** As commander writes them: `<slug>` must be given, `[id]` may be. */
  readonly args?: readonly { readonly name: string; readonly says: string }[];
  readonly options?: readonly OptionEntry[];
  readonly examples: readonly string[];
  readonly hidden?: boolean;
}

const slug = { name: '<slug>', says: 'the kata, such as offline-queue' };
const schedules: OptionEntry = { flags: '--schedules <n>', says: 'how many schedules to simulate', value: 'count' };
const seed: OptionEntry = { flags: '--seed <n>', says: 'seed of the generated schedules', value: 'seed' };

export const COMMANDS: readonly CommandEntry[] = [
  { name: 'home', says: 'the map and the next step', examples: [], hidden: true },
  { name: 'list', says: 'the map: what there is, how you stand, what to do next', examples: ['list'] },
  { name: 'start', says: 'make your attempt from the stub', args: [slug], examples: ['start offline-queue'] },
  {
    name: 'spec',
    says: 'read what to build and why',
    args: [slug],
    options: [{ flags: '--raw', says: 'the Markdown as it is' }],
    examples: ['spec offline-queue', 'spec offline-queue --raw > spec.md'],
  },
  {
    name: 'watch',
    says: 'test at each save, simulate, and show the score so far',
    args: [slug],
    options: [schedules, seed],
    examples: ['watch offline-queue'],
  },
  {
    name: 'grade',
    says: 'the full grade',
    args: [slug],
    options: [
      { flags: '--reference', says: 'grade the reference in place of your attempt' },
      schedules,
      seed,
      { flags: '--json [file]', says: 'the report as JSON, to a file or standard output' },
      { flags: '--markdown [file]', says: 'the report as Markdown, to a file or standard output' },
      { flags: '--html [file]', says: 'the report as one HTML file' },
    ],
    examples: [
      'grade offline-queue',
      'grade offline-queue --html report.html',
      'grade offline-queue --json | jq .score',
    ],
  },
  {
    name: 'replay',
    says: 'run a failing schedule again and tell its story',
    args: [slug, { name: '[id]', says: 'which one, as the report calls it; the first when left out' }],
    options: [
      { flags: '--on <target>', says: 'whose code to run', value: ['attempt', 'reference'] },
      { flags: '--debug', says: 'stop at the start for a debugger' },
    ],
    examples: ['replay offline-queue', 'replay offline-queue --on reference'],
  },
  {
    name: 'check',
    says: 'your attempt beside the reference: first difference, and costs',
    args: [slug],
    options: [schedules, seed],
    examples: ['check offline-queue'],
  },
  {
    name: 'diff',
    says: 'your code against the reference’s, once solved or asked twice',
    args: [slug],
    options: [{ flags: '--with <n>', says: 'an attempt kept by retry, by its number', value: 'number' }],
    examples: ['diff offline-queue', 'diff offline-queue --with 1'],
  },
  {
    name: 'hint',
    says: 'the next hint, from nudge to near-answer',
    args: [slug, { name: '[criterion]', says: 'a line of the rubric; the next unsolved one when left out' }],
    options: [{ flags: '--all', says: 'all hints of the criterion' }],
    examples: ['hint offline-queue', 'hint offline-queue one-key'],
  },
  {
    name: 'retry',
    says: 'keep this attempt aside and begin afresh',
    args: [slug],
    options: [
      { flags: '--list', says: 'the attempts kept so far' },
      { flags: '--restore <n>', says: 'go back to a kept one; the present one is kept too', value: 'number' },
    ],
    examples: ['retry offline-queue', 'retry offline-queue --restore 1'],
  },
  {
    name: 'serve',
    says: 'the backend on localhost, for curl or a real app',
    args: [slug],
    options: [{ flags: '--port <n>', says: 'a port; a free one when left out', value: 'port' }],
    examples: ['serve offline-queue --port 4000'],
  },
  { name: 'ui', says: 'Vitest’s UI on this kata', args: [slug], examples: ['ui offline-queue'] },
  {
    name: 'verify',
    says: 'for authors: is the kata itself sound',
    args: [{ name: '[slug]', says: 'one kata; all when left out' }],
    options: [seed, { flags: '--seal', says: 'publish: record the files of a sound kata in its seal.json' }],
    examples: ['verify', 'verify offline-queue', 'verify offline-queue --seal'],
  },
  {
    name: 'new',
    says: 'for authors: scaffold a kata',
    args: [{ name: '<slug>', says: 'its name, such as photo-upload' }],
    examples: ['new photo-upload'],
  },
  { name: 'demo', says: 'grade a typical first attempt, to see what this is', examples: ['demo'] },
  { name: 'welcome', says: 'the demo, then the map', examples: ['welcome'] },
];
