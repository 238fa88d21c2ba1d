// A small app for the simulator's own tests: saves a number on the phone, then sends it until the server has it.
import fc from 'fast-check';
import { Hono } from 'hono';
import type { Device } from '../../phone/device.ts';
import type { Json } from '../plan.ts';
import { defineAction, defineScenario } from '../scenario.ts';
import type { AnyScenario, AppFactory } from '../world.ts';

interface Outbox {
  start(): Promise<void>;
  save(serial: number): Promise<void>;
  pending(): number[];
  dispose(): void;
}
interface OutboxModule {
  createOutbox(options: { device: Device; apiUrl: string }): Outbox;
}

/** What a broken outbox does wrong; the sound one does none of it. */
export interface OutboxFlaws {
  readonly saysSavedTooEarly?: boolean;
  readonly newKeyPerTry?: boolean;
  readonly neverSettles?: boolean;
  readonly leavesRejection?: boolean;
  readonly keepsListener?: boolean;
  readonly retriesAtOnce?: boolean;
  readonly usesRealTime?: boolean;
  readonly throwsInFactory?: boolean;
}

type PlatformOf = {
  setTimeout: typeof setTimeout;
  clearTimeout: typeof clearTimeout;
  fetch: typeof fetch;
  crypto: Crypto;
};

/** An outbox as an attempt's factory would give it. */
export function createOutboxFactory(flaws: OutboxFlaws = {}): AppFactory {
  return (globals) => {
    const { setTimeout, clearTimeout, fetch, crypto } = globals as unknown as PlatformOf;

    function createOutbox({ device, apiUrl }: { device: Device; apiUrl: string }): Outbox {
      if (flaws.throwsInFactory) throw new Error('no outbox today');
      const { asyncStorage, netInfo } = device;
      let pending: number[] = [];
      let timer: ReturnType<typeof setTimeout> | undefined;
      let isSending = false;
      let isDisposed = false;
      const stopListening = netInfo.addEventListener(() => void drain());

      async function drain(): Promise<void> {
        if (isSending || isDisposed || pending.length === 0) return;
        isSending = true;
        const serial = pending[0];
        const key = flaws.newKeyPerTry ? crypto.randomUUID() : `key-${serial}`;
        let isDone = false;
        try {
          const body = JSON.stringify({ serial, salt: flaws.usesRealTime ? process.hrtime.bigint().toString() : '' });
          const response = await fetch(`${apiUrl}/numbers`, {
            method: 'POST',
            headers: { 'Idempotency-Key': key },
            body,
          });
          isDone = response.status === 201 && ((await response.json()) as { ok?: boolean }).ok === true;
          if (isDone) await asyncStorage.removeItem(`n:${serial}`);
        } catch {
          isDone = false;
        }
        if (isDone) pending = pending.filter((one) => one !== serial);
        isSending = false;
        if (isDisposed || pending.length === 0) return;
        clearTimeout(timer);
        timer = setTimeout(() => void drain(), isDone || flaws.retriesAtOnce ? 0 : 2_000);
      }

      return {
        async start() {
          const keys = await asyncStorage.getAllKeys();
          pending = keys.map((key) => Number(key.slice(2))).concat(pending);
          if (flaws.leavesRejection) void Promise.reject(new Error('nobody looks at this'));
          void drain();
        },
        async save(serial) {
          if (flaws.neverSettles) return new Promise(() => undefined);
          const written = asyncStorage.setItem(`n:${serial}`, '1');
          if (!flaws.saysSavedTooEarly) await written;
          pending = [...pending, serial];
          void drain();
          if (flaws.saysSavedTooEarly) written.catch(() => undefined);
        },
        pending: () => pending,
        dispose() {
          isDisposed = true;
          clearTimeout(timer);
          if (!flaws.keepsListener) stopListening();
        },
      };
    }
    return { createOutbox } satisfies OutboxModule;
  };
}

/** The server: each key counts once. */
function createBackend(record: (label: string, data: Json) => void) {
  const keys = new Set<string>();
  const serials: number[] = [];
  const app = new Hono();
  app.post('/numbers', async (context) => {
    const key = context.req.header('idempotency-key') ?? '';
    const { serial } = (await context.req.json()) as { serial: number };
    if (!keys.has(key)) {
      keys.add(key);
      serials.push(serial);
      record('counted', serial);
    }
    return context.json({ ok: true }, 201);
  });
  return { app, serials };
}

type OutboxBackend = ReturnType<typeof createBackend>;
interface Facts {
  next: number;
  readonly saved: Set<number>;
}

const save = defineAction<Outbox, OutboxBackend, Facts, Record<string, never>>({
  args: fc.constant({}),
  says: () => 'saves a number',
  run({ app, facts, follow }) {
    facts.next += 1;
    const serial = facts.next;
    follow(`save ${serial}`, () => app.save(serial), { done: () => facts.saved.add(serial) });
  },
});

export const outboxScenario = defineScenario<OutboxModule, Outbox, OutboxBackend, Facts>({
  kata: 'outbox',
  apiUrl: 'https://api.example.test',
  slots: 10,
  gapsMs: [0, 50, 2_000, 20_000],
  endpoints: ['POST /numbers'],
  backend: ({ record }) => createBackend(record),
  facts: () => ({ next: 0, saved: new Set() }),
  open({ module, device, apiUrl, follow }) {
    const app = module.createOutbox({ device, apiUrl });
    follow('start', () => app.start());
    return app;
  },
  close: (app) => app.dispose(),
  view: (app) => app.pending(),
  actions: { save },
  conditions: {
    offline: { forMs: [5_000, 60_000] },
    kill: { forMs: [1_000] },
    background: { forMs: [30_000] },
    outage: { forMs: [10_000] },
  },
  faults: {
    'POST /numbers': [
      'response-lost',
      'request-lost',
      'portal',
      'duplicate',
      'answer-503',
      'kill-before',
      'kill-after',
    ],
    'storage.write': ['failed', 'slow', 'kill-before', 'kill-after'],
  },
  invariants: [
    {
      id: 'counted-once',
      promise: 'no number counts twice',
      spec: ['R1'],
      watch:
        ({ backend }) =>
        (event) => {
          if (event.kind !== 'effect') return undefined;
          const count = backend.serials.filter((serial) => serial === event.data).length;
          return count > 1 ? `Number ${event.data} was counted ${count} times.` : undefined;
        },
    },
    {
      id: 'saved-arrives',
      promise: 'every saved number is counted',
      spec: ['R2'],
      settled: ({ backend, facts }) => {
        const lost = [...facts.saved].filter((serial) => !backend.serials.includes(serial));
        return lost.length > 0 ? `Number ${lost[0]} was saved, and never counted.` : undefined;
      },
    },
    {
      id: 'shown-is-stored',
      promise: 'a relaunch shows the same',
      spec: ['R3'],
      relaunched: ({ phones }, before) => {
        const now = phones[0]?.app?.pending() ?? [];
        return now.length === (before[0] as number[]).length
          ? undefined
          : `Pending was ${JSON.stringify(before[0])} and is ${JSON.stringify(now)}.`;
      },
    },
  ],
  budgets: [
    { id: 'requests', promise: 'few requests', spec: ['R1'], measure: ({ costs }) => costs.requests, allowance: 1.2 },
  ],
  patienceMs: 120_000,
}) as unknown as AnyScenario;
