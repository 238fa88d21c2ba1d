// The files of the kata `tally`: counts on the phone, and tells the server of each count.

/** The reference, one line to an idea, so that tests can put wrong ones in. */
export const TALLY_REFERENCE = `import type { CreateTally } from '#contract/tally';

export const createTally: CreateTally = ({ device, apiUrl }) => {
  let total = 0;
  let isDisposed = false;
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  return {
    async start() {
      total = Number((await device.asyncStorage.getItem('total')) ?? 0);
      begin();
    },
    async add() {
      await begun;
      total += 1;
      const mine = total;
      await device.asyncStorage.setItem('total', String(mine));
      if (!isDisposed) await fetch(apiUrl + '/adds', { method: 'POST', body: String(mine) }).catch(() => undefined);
      return mine;
    },
    total: () => total,
    dispose() {
      isDisposed = true;
    },
  };
};
`;

/** Never gives way. */
export const ENDLESS_LOOP = 'for (;;);';

const CONTRACT = `import type { Device } from '#phone';

/** Counts. */
export interface Tally {
  start(): Promise<void>;
  add(): Promise<number>;
  total(): number;
  dispose(): void;
}

export type CreateTally = (options: { readonly device: Device; readonly apiUrl: string }) => Tally;
`;

const STUB = `import type { CreateTally } from '#contract/tally';

export const createTally: CreateTally = (_options) => ({
  start() {
    throw new Error('NotImplemented: start');
  },
  add() {
    throw new Error('NotImplemented: add');
  },
  total() {
    throw new Error('NotImplemented: total');
  },
  dispose() {
    throw new Error('NotImplemented: dispose');
  },
});
`;

const ALTERNATIVE = `import type { CreateTally } from '#contract/tally';

class Counter {
  readonly options: Parameters<CreateTally>[0];
  value = 0;
  isOver = false;
  begun = Promise.withResolvers<void>();
  constructor(options: Parameters<CreateTally>[0]) {
    this.options = options;
  }
  async start() {
    const stored = await this.options.device.asyncStorage.getItem('counter');
    this.value = stored === null ? 0 : JSON.parse(stored).value;
    this.begun.resolve();
  }
  async add() {
    await this.begun.promise;
    const value = ++this.value;
    await this.options.device.asyncStorage.setItem('counter', JSON.stringify({ value }));
    if (this.isOver) return value;
    try {
      await fetch(this.options.apiUrl + '/adds', { method: 'POST', body: String(value) });
    } catch {
      // The server hears of the next.
    }
    return value;
  }
  total() {
    return this.value;
  }
  dispose() {
    this.isOver = true;
  }
}

export const createTally: CreateTally = (options) => new Counter(options);
`;

const BACKEND = `import { Hono } from 'hono';
import type { BackendContext } from '#simulator';

export function createBackend({ record }: BackendContext) {
  const heard: string[] = [];
  const app = new Hono();
  app.post('/adds', async (context) => {
    const count = await context.req.text();
    heard.push(count);
    record('heard', count);
    return context.json({ ok: true }, 201);
  });
  return { app, heard };
}
`;

const SUITE = `import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPhone, type TestPhone } from '#phone/testing';

let phone: TestPhone;
beforeEach(() => {
  phone = createPhone();
  vi.stubGlobal('fetch', async () => new Response('{}', { status: 201 }));
});
afterEach(() => {
  vi.unstubAllGlobals();
  phone.dispose();
});

const launch = async () => {
  const { createTally } = await phone.coldStart(() => import('#attempt/tally'));
  const tally = createTally({ device: phone.device, apiUrl: 'https://api.tally.test' });
  const started = tally.start();
  await phone.settle();
  await started;
  return tally;
};
const added = async (tally: { add(): Promise<number> }) => {
  const count = tally.add();
  await phone.settle();
  return count;
};

test('begins at nothing', { tags: ['counts', 'R1'] }, async () => {
  expect((await launch()).total()).toBe(0);
});

test(
  'counts each of them',
  { tags: ['counts', 'R1'] },
  async () => {
    const tally = await launch();

    expect([await added(tally), await added(tally), tally.total()]).toEqual([1, 2, 2]);
  },
);

test("doesn't forget over a restart", { tags: ['keeps', 'R2'] }, async () => {
  await added(await launch());

  expect((await launch()).total()).toBe(1);
});

test('tells the server nothing after dispose', { tags: ['quiet', 'E1'] }, async () => {
  const tally = await launch();
  await added(tally);
  const told = vi.fn();
  vi.stubGlobal('fetch', told);

  tally.dispose();
  await added(tally);

  expect(told).not.toHaveBeenCalled();
});
`;

const SCENARIO = `import fc from 'fast-check';
import { defineAction, defineScenario } from '#simulator';
import { createBackend } from './backend.ts';
import type { CreateTally, Tally } from './contract.ts';

type Server = ReturnType<typeof createBackend>;
interface Facts {
  acknowledged: number;
}

export const scenario = defineScenario<{ createTally: CreateTally }, Tally, Server, Facts>({
  kata: 'tally',
  apiUrl: 'https://api.tally.test',
  slots: 6,
  gapsMs: [100, 2_000],
  endpoints: ['POST /adds'],
  backend: createBackend,
  facts: () => ({ acknowledged: 0 }),
  open({ module, device, apiUrl, follow }) {
    const tally = module.createTally({ device, apiUrl });
    follow('start', () => tally.start());
    return tally;
  },
  close: (tally) => tally.dispose(),
  view: (tally) => tally.total(),
  actions: {
    add: defineAction<Tally, Server, Facts, Record<string, never>>({
      args: fc.constant({}),
      says: () => 'adds one',
      run({ app, facts, follow }) {
        follow('add', () => app.add(), {
          done: () => {
            facts.acknowledged += 1;
          },
        });
      },
    }),
  },
  conditions: { kill: { forMs: [1_000] } },
  faults: { 'POST /adds': ['response-lost'], 'storage.write': ['failed', 'kill-before', 'kill-after'] },
  invariants: [
    {
      id: 'kept',
      promise: 'what was acknowledged is still counted after a restart',
      spec: ['R2'],
      relaunched: ({ phones, facts }) => {
        const total = phones[0]?.app?.total() ?? 0;
        return total < facts.acknowledged ? \`\${facts.acknowledged} were acknowledged, \${total} are left.\` : undefined;
      },
    },
  ],
  budgets: [
    { id: 'requests', promise: 'one request for each', spec: ['R1'], measure: ({ costs }) => costs.requests, allowance: 1.2 },
  ],
  patienceMs: 60_000,
});
`;

const MISTAKES = `import type { LazyAttempt, Mistake } from '#course';

export const mistakes: Mistake[] = [
  {
    id: 'not-stored',
    title: 'Acknowledges before the write has ended.',
    criterion: 'keeps',
    edits: [{ find: "await device.asyncStorage.setItem('total', String(mine));", replace: "void device.asyncStorage.setItem('total', String(mine)).catch(() => undefined);" }],
  },
];

export const lazy: LazyAttempt[] = [
  {
    id: 'does-nothing',
    title: 'Does nothing.',
    source: "export const createTally = () => ({ start: async () => {}, add: async () => 0, total: () => 0, dispose: () => {} });",
  },
];
`;

const HINTS = '[look, look again, look here]';
const RUBRIC = `kata: tally
version: 1
bar: 70
criteria:
  - { id: counts, title: Counts, dimension: correctness, level: mid, points: 40, spec: [R1], invariants: [settles], hints: ${HINTS} }
  - { id: keeps, title: Keeps the count, dimension: consistency, level: senior, points: 40, spec: [R2], invariants: [kept, no-unhandled-rejection], hints: ${HINTS} }
  - { id: quiet, title: Ends when it is told to, dimension: resilience, level: staff, points: 10, spec: [E1], invariants: [bounded, silent-after-dispose], hints: ${HINTS} }
  - { id: cheap, title: Sends one request for each, dimension: efficiency, level: mid, points: 5, spec: [R1], budgets: [requests], hints: ${HINTS} }
  - { id: typed, title: Keeps to the types, dimension: code quality, level: mid, points: 5, spec: [R1], checks: [type-check, no-type-escape, no-leftovers], hints: ${HINTS} }
interview:
  family: queue
  opening: Counting must not be lost. How?
  clarifications:
    - { ask: How many counters?, answer: One. }
  followUps:
    - { ask: And then?, mid: a, senior: b, staff: c, answer: It is sent again. }
  curveballs:
    - { say: The disk is full., answer: Then it says so. }
  redFlags: [Keeps it in memory only.]
  signals: { mid: a, senior: b, staff: c }
  model: { requirements: Counts survive., highLevel: A disk and a sender., deepDive: Kill it at each line., tradeOffs: One value. }
`;

const BANDS = `share: 0.8
bands:
  - { id: not-yet, title: Not yet, says: Begin with mid. }
  - { id: mid, title: Mid, says: It works. }
  - { id: senior, title: Senior, says: It holds. }
  - { id: staff, title: Staff, says: It holds in a crisis. }
`;

const SPEC = `---
title: Tally
tier: pattern
minutes: 30
level: mid to staff
buildsOn: []
patterns: [durable-write]
rules:
  R1: mid
  R2: senior
  E1: staff
---

# Tally

What was counted stays counted.

## Requirements

- **R1** \`add\` counts one.
- **R2** What was acknowledged survives a restart.

## Caching

Nothing.

## Offline & Sync Strategy

The phone holds the truth.

## Data Models

\`\`\`ts
${CONTRACT.replace(/^import.*\n\n/, '').trimEnd()}
\`\`\`

## API Endpoints

| Endpoint | Answers |
| --- | --- |
| \`POST /adds\` | 201 |

## Client Implementation

One number.

## Edge Cases

- **E1** disposed in the middle.
`;

const PACKAGE = `{
  "name": "tally-course",
  "type": "module",
  "imports": {
    "#phone": "./tools/phone/index.ts",
    "#phone/testing": "./tools/phone/testing/index.ts",
    "#simulator": "./tools/simulator/index.ts",
    "#course": "./tools/course/index.ts",
    "#contract/*": "./katas/*/contract.ts",
    "#attempt/*": { "reference": "./solutions/*/index.ts", "default": "./katas/*/attempt.ts" }
  }
}
`;

const TSCONFIG = `{
  "compilerOptions": {
    "target": "es2024",
    "lib": ["es2024", "dom", "dom.iterable"],
    "module": "preserve",
    "moduleResolution": "bundler",
    "allowImportingTsExtensions": true,
    "noEmit": true,
    "types": ["node"],
    "strict": true,
    "skipLibCheck": true
  }
}
`;

/** Every file of the course, by its path from the root. */
export const TALLY_FILES: Readonly<Record<string, string>> = {
  'package.json': PACKAGE,
  'tsconfig.json': TSCONFIG,
  'rubric/bands.yaml': BANDS,
  'rubric/tally.yaml': RUBRIC,
  'specs/tally.md': SPEC,
  'katas/tally/contract.ts': CONTRACT,
  'katas/tally/stub.ts': STUB,
  'katas/tally/backend.ts': BACKEND,
  'katas/tally/suite.test.ts': SUITE,
  'katas/tally/scenario.ts': SCENARIO,
  'katas/tally/mistakes.ts': MISTAKES,
  'solutions/tally/index.ts': TALLY_REFERENCE,
  'solutions/tally/alternative.ts': ALTERNATIVE,
  'solutions/tally/notes.md': '# Tally\n\nOne number, written before it is told.\n',
};

const INDEX_OF_PARTS = TALLY_REFERENCE.replace(
  "from '#contract/tally';\n",
  "from '#contract/tally';\nimport { createStore } from './store.ts';\n",
)
  .replace('  let total = 0;\n', '  const store = createStore(device);\n  let total = 0;\n')
  .replace("Number((await device.asyncStorage.getItem('total')) ?? 0)", 'await store.read()')
  .replace("device.asyncStorage.setItem('total', String(mine))", 'store.keep(mine)');

const STORE = `import type { Device } from '#phone';
import { KEY } from './names/key.ts';

/** Keeps the count on the phone. */
export const createStore = ({ asyncStorage }: Device) => ({
  async read() {
    return Number((await asyncStorage.getItem(KEY)) ?? 0);
  },
  async keep(count: number) {
    await asyncStorage.setItem(KEY, String(count));
  },
});
`;

/** The same reference in several files, with the mistake in a part: in the place of those files of the course. */
export const TALLY_IN_PARTS: Readonly<Record<string, string>> = {
  'solutions/tally/index.ts': INDEX_OF_PARTS,
  'solutions/tally/store.ts': STORE,
  'solutions/tally/names/key.ts': "export const KEY = 'total';\n",
  'katas/tally/mistakes.ts': MISTAKES.replace(
    /edits: .*/,
    "edits: [{ find: 'await asyncStorage.setItem(KEY, String(count));', replace: 'void asyncStorage.setItem(KEY, String(count)).catch(() => undefined);' }],",
  ),
};
