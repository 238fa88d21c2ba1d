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
  {
    name: 'start',
    says: 'make your attempt from the stub',
    args: [slug],
    options: [
      {
        flags: '--build-on <what>',
        says: 'of the patterns a feature builds on, offer the reference or your own attempt (both when left out)',
        value: ['reference', 'attempt'],
      },
    ],
    examples: ['start offline-queue', 'start auth --build-on attempt'],
  },
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
    says: 'your code against the reference’s, once solved or asked twice; old attempts, too',
    args: [
      slug,
      { name: '[from]', says: 'attempt, stub, reference, alternative, or the number of a kept attempt' },
      { name: '[to]', says: 'the same; the reference when left out' },
    ],
    options: [
      { flags: '--from <id>', says: 'the same as the first id' },
      { flags: '--to <id>', says: 'the same as the second id' },
      { flags: '--with <n>', says: 'an attempt kept by retry, by its number', value: 'number' },
    ],
    examples: ['diff offline-queue', 'diff offline-queue 1', 'diff offline-queue 1 attempt'],
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
    name: 'review',
    says: 'a code review: find and mend the mistakes put into the reference',
    args: [slug],
    options: [
      { flags: '--mistakes <n>', says: 'how many mistakes to put in, one when left out', value: ['1', '2', '3'] },
      { flags: '--seed <n>', says: 'chooses the mistakes', value: 'seed' },
      { flags: '--attempt <n>', says: 'review an attempt of yours, by its number', value: 'number' },
      { flags: '--show', says: 'the code, with line numbers' },
      { flags: '--done', says: 'score the round and see what was wrong' },
      { flags: '--answers <file>', says: 'score with the findings and the fix of a YAML file' },
      { flags: '--new', says: 'begin another round; the open one stays as it is' },
      { flags: '--json', says: 'the result as JSON' },
    ],
    examples: ['review offline-queue', 'review offline-queue --mistakes 2 --seed 7', 'review offline-queue --done'],
  },
  {
    name: 'drill',
    says: 'short questions on what you have worked on, spaced by how well you know them',
    args: [{ name: '[slug]', says: 'one kata; all you have begun when left out' }],
    options: [
      { flags: '--limit <n>', says: 'how many questions at most, 10 when left out', value: 'count' },
      { flags: '--all', says: 'also of katas you have not begun' },
      { flags: '--answers <file>', says: 'answers and ratings from a YAML file' },
      { flags: '--json', says: 'the session, or the questions that wait, as JSON' },
    ],
    examples: ['drill', 'drill offline-queue --limit 5'],
  },
  {
    name: 'progress',
    says: 'what is solved, broken or stale, levels reached, time spent, and all history',
    options: [
      { flags: '--json', says: 'as JSON' },
      { flags: '--csv [file]', says: 'every event as CSV, to a file or standard output' },
      { flags: '--html [file]', says: 'one HTML page with charts' },
    ],
    examples: ['progress', 'progress --html progress.html', 'progress --csv | head'],
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
    name: 'interview',
    says: 'a mock interview: phases, clock, curveballs, scorecard',
    args: [{ name: '[slug]', says: 'the kata; one that is due, or any, when left out' }],
    options: [
      { flags: '--minutes <n>', says: 'how long', value: ['45', '60'] },
      {
        flags: '--as <role>',
        says: 'alone, or one side of two terminals',
        value: ['alone', 'candidate', 'interviewer'],
      },
      { flags: '--resume [id]', says: 'go on with the one that is open' },
      { flags: '--drop [id]', says: 'give it up; its notes stay' },
      { flags: '--result [id]', says: 'the scorecard of the last one, or of that one' },
      { flags: '--history', says: 'how the scores went over time' },
      { flags: '--answers <file>', says: 'play a script in place of keys: what happens at which minute' },
      { flags: '--seed <n>', says: 'seed of the kata and the curveballs', value: 'seed' },
      { flags: '--json', says: 'the result as JSON' },
    ],
    examples: [
      'interview offline-queue',
      'interview --resume',
      'interview offline-queue --as interviewer',
      'interview --as candidate',
      'interview --history',
    ],
  },
  {
    name: 'verify',
    says: 'for authors: is the kata itself sound',
    args: [{ name: '[slug]', says: 'one kata; all when left out' }],
    options: [
      seed,
      { flags: '--seal', says: 'publish: record the files of a sound kata in its seal.json' },
      { flags: '--brisk', says: 'with 300 fresh schedules for the alternative, not 5,000' },
      { flags: '--changed', says: 'brisk; and of katas that are on record as verified, a sample: what npm test runs' },
    ],
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
