// Attempts that no contract protects from: every kata's grade must see through them.
import type { LazyAttempt } from './mistake.ts';

/** A contract as far as an attempt needs it that does not even try. All values are TypeScript expressions. */
export interface LazyShape {
  readonly slug: string;
  /** The factory, such as `createPager`; its type is the same name with a capital. */
  readonly create: string;
  readonly state: {
    /** The contract's type of the state. */
    readonly type: string;
    /** What the state says of one that claims to be done. */
    readonly whenDone: string;
    /** What it says of one that waits for ever. */
    readonly whenWaiting: string;
  };
  /** Each call that gives a promise, with the value of one that does nothing; '' for none. */
  readonly promises: Readonly<Record<string, string>>;
  /** Each other call beside `getState`, `subscribe` and `dispose`, with a function that does nothing. */
  readonly others?: Readonly<Record<string, string>>;
}

/** One that does nothing, one that throws, one whose promises never end. */
export function lazyAttempts(shape: LazyShape): LazyAttempt[] {
  const { promises, others = {}, state } = shape;
  const names = [...Object.keys(promises), ...Object.keys(others)];
  const each = (calls: readonly string[], body: (name: string) => string) =>
    Object.fromEntries(calls.map((name) => [name, body(name)]));
  const quiet = { ...others, getState: '() => state', subscribe: '() => () => {}', dispose: '() => {}' };
  const done = each(Object.keys(promises), (name) => {
    const value = promises[name] ?? '';
    return value === '' ? 'async () => {}' : `async () => (${value})`;
  });
  return [
    {
      id: 'does-nothing',
      title: 'Says yes to everything and does nothing.',
      source: sourceOf(shape, stateIs(state.type, state.whenDone), { ...done, ...quiet }),
    },
    {
      id: 'throws',
      title: 'Throws at every call.',
      source: sourceOf(
        shape,
        "function fail(): never {\n  throw new Error('not today');\n}",
        each([...names, 'getState', 'subscribe', 'dispose'], () => '() => fail()'),
      ),
    },
    {
      id: 'never-resolves',
      title: 'Gives promises that never end.',
      source: sourceOf(
        shape,
        `const never = new Promise<never>(() => {});\n${stateIs(state.type, state.whenWaiting)}`,
        { ...each(Object.keys(promises), () => '() => never'), ...quiet },
      ),
    },
  ];
}

const stateIs = (type: string, value: string): string => `const state: ${type} = ${value};`;

function sourceOf({ slug, create, state }: LazyShape, head: string, calls: Readonly<Record<string, string>>): string {
  const factory = `${create.charAt(0).toUpperCase()}${create.slice(1)}`;
  const types = [factory, state.type.replace(/<.*/, '')];
  const body = Object.entries(calls).map(([name, call]) => `  ${name}: ${call},\n`);
  return `import type { ${types.join(', ')} } from '#contract/${slug}';

${head}

export const ${create}: ${factory} = () => ({
${body.join('')}});
`;
}
