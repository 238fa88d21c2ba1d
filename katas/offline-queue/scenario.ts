// The simulation: technicians save forms while everything that can go wrong does.
import fc from 'fast-check';
import type {
  OfflineQueue,
  OfflineQueueModule,
  QueuedMutation,
  QueueState,
  RefusedMutation,
} from '#contract/offline-queue';
import {
  atSend,
  defineAction,
  defineScenario,
  growsRarer,
  type Invariant,
  type Json,
  type RequestRecord,
  type Stage,
  type WorldView,
  waitsForRetryAfter,
} from '#simulator';
import { createBackend, type QueueBackend } from './backend.ts';

/** A save as the person knows it. Its serial travels in the payload, so that it can be told apart wherever it turns up. */
interface Save {
  /** From 1, in the order of the calls. */
  readonly serial: number;
  readonly entityId: string;
  readonly title: string;
  /** `open`: no answer yet, or never, because the app was killed. */
  outcome: 'open' | 'stored' | 'rejected';
  discard: 'no' | 'asked' | 'done';
  /** The key that version 1 of the app had given it. */
  readonly oldKey: string | null;
}

interface Facts {
  readonly saves: Save[];
  /** Effects per serial, as the server applied them. */
  readonly applied: Map<number, number>;
  /** Moments at which the queue may try again at once. */
  wakes: number;
}

type QueueStage = Stage<OfflineQueue, QueueBackend, Facts>;
type QueueWorld = WorldView<OfflineQueue, QueueBackend, Facts>;
type QueueInvariant = Invariant<OfflineQueue, QueueBackend, Facts>;

const IN_FLIGHT_MAX = 4;
const START_TRIES = 5;
const OLD_QUEUE = 'mutationQueue';
const TITLES = ['valve', 'meter', 'gasket', 'Dichtung', '温度計', 'pump "A"'];

// ---------------------------------------------------------------------------------------------------------------------
// What people do

const entityId = (entity: number) => `visit-${entity}`;
// Few entities make order matter, many make four at a time matter.
const entity = fc.oneof(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 7 }));
const title = fc.constantFrom(...TITLES);

function save({ app, facts, follow }: QueueStage, entity: number, title: string): void {
  const { saves } = facts;
  const saved: Save = {
    serial: saves.length + 1,
    entityId: entityId(entity),
    title,
    outcome: 'open',
    discard: 'no',
    oldKey: null,
  };
  saves.push(saved);
  const draft = { entityId: saved.entityId, kind: 'visit.update', payload: { serial: saved.serial, title } };
  follow(`save ${saved.serial} of ${saved.entityId}`, () => app.enqueue(draft), {
    done: () => {
      saved.outcome = 'stored';
    },
    failed: () => {
      saved.outcome = 'rejected';
    },
  });
}

const actions = {
  save: defineAction<OfflineQueue, QueueBackend, Facts, { entity: number; title: string }>({
    weight: 6,
    args: fc.record({ entity, title }),
    says: ({ entity, title }) => `saves "${title}" of ${entityId(entity)}`,
    run: (stage, { entity, title }) => save(stage, entity, title),
  }),
  saveBurst: defineAction<OfflineQueue, QueueBackend, Facts, { entities: number[] }>({
    weight: 2,
    args: fc.record({ entities: fc.array(entity, { minLength: 2, maxLength: 8 }) }),
    says: ({ entities }) => `saves ${entities.map(entityId).join(', ')} in the same tick`,
    run: (stage, { entities }) => {
      for (const [index, entity] of entities.entries()) save(stage, entity, TITLES[index % TITLES.length] ?? 'valve');
    },
  }),
  saveInvalid: defineAction<OfflineQueue, QueueBackend, Facts, { entity: number }>({
    args: fc.record({ entity }),
    says: ({ entity }) => `saves ${entityId(entity)} with an empty title`,
    run: (stage, { entity }) => save(stage, entity, ''),
  }),
  retry: defineAction<OfflineQueue, QueueBackend, Facts, Record<string, never>>({
    args: fc.constant({}),
    says: () => 'tries the first dead letter again',
    run: ({ app, follow }) =>
      follow('retry', async () => {
        const letter = firstRefused(app);
        if (letter) await app.retry(letter.id);
      }),
  }),
  discard: defineAction<OfflineQueue, QueueBackend, Facts, Record<string, never>>({
    args: fc.constant({}),
    says: () => 'discards the first dead letter',
    run: ({ app, facts, follow }) => {
      let saved: Save | undefined;
      const begin = async () => {
        const letter = firstRefused(app);
        if (!letter) return;
        saved = facts.saves[serialOf(letter.mutation) - 1];
        if (saved?.discard === 'no') saved.discard = 'asked';
        await app.discard(letter.id);
      };
      follow('discard', begin, {
        done: () => {
          if (saved) saved.discard = 'done';
        },
      });
    },
  }),
  signIn: defineAction<OfflineQueue, QueueBackend, Facts, Record<string, never>>({
    args: fc.constant({}),
    says: () => 'signs in again',
    run: ({ app, facts, follow }) => {
      facts.wakes += 1;
      follow('start', () => app.start());
    },
  }),
};

// ---------------------------------------------------------------------------------------------------------------------
// What an app shows. It may be anything: an attempt is not trusted to keep to its types.

const NOTHING: QueueState = { status: 'idle', pending: [], deadLetters: [] };

function stateOf(app: OfflineQueue | null | undefined): QueueState {
  try {
    const state: Partial<QueueState> | undefined = app?.getState();
    return Array.isArray(state?.pending) && Array.isArray(state.deadLetters) ? { ...NOTHING, ...state } : NOTHING;
  } catch {
    return NOTHING;
  }
}

const shown = (world: QueueWorld): QueueState => stateOf(world.phones[0]?.app);

function serialOf(mutation: QueuedMutation | null): number {
  const payload = mutation?.payload;
  const serial = typeof payload === 'object' && payload !== null && 'serial' in payload ? payload.serial : undefined;
  return typeof serial === 'number' ? serial : 0;
}

const refusedIn = (state: QueueState): RefusedMutation[] =>
  state.deadLetters.filter((letter): letter is RefusedMutation => letter?.reason === 'refused');

const firstRefused = (app: OfflineQueue): RefusedMutation | undefined => refusedIn(stateOf(app))[0];

function view(app: OfflineQueue): { status: string; pending: number[]; deadLetters: number[] } {
  const state = stateOf(app);
  return {
    status: state.status,
    pending: state.pending.map(serialOf),
    deadLetters: state.deadLetters.map(({ mutation }) => serialOf(mutation)),
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: the effects on the server

interface Applied {
  readonly key: string;
  readonly entityId: string;
  readonly payload: { readonly serial: number; readonly title: string };
}

/** Calls `look` at each effect of the server, with the save it came from. */
function atEffect(
  look: (world: QueueWorld) => (save: Save | undefined, applied: Applied) => string | undefined,
): NonNullable<QueueInvariant['watch']> {
  return (world) => {
    const lookAt = look(world);
    return (event) => {
      if (event.kind !== 'effect') return undefined;
      const applied = event.data as unknown as Applied;
      return lookAt(world.facts.saves[applied.payload.serial - 1], applied);
    };
  };
}

const appliedOnce: QueueInvariant = {
  id: 'applied-once',
  promise: 'No save takes effect twice.',
  spec: ['R2'],
  watch: atEffect(({ facts }) => (_save, { payload: { serial }, entityId, key }) => {
    const times = (facts.applied.get(serial) ?? 0) + 1;
    facts.applied.set(serial, times);
    return times > 1 ? `Save ${serial} of ${entityId} took effect ${times} times, lastly with key ${key}.` : undefined;
  }),
};

const appliedAsSaved: QueueInvariant = {
  id: 'applied-as-saved',
  promise: 'What takes effect is what was saved.',
  spec: ['R10'],
  watch: atEffect(() => (saved, { entityId, payload }) => {
    if (saved?.entityId === entityId && saved.title === payload.title) return undefined;
    const was = saved ? `"${saved.title}" of ${saved.entityId} was saved` : 'no such thing was saved';
    return `The server applied ${JSON.stringify(payload)} to ${entityId}, but ${was}.`;
  }),
};

const appliedInOrder: QueueInvariant = {
  id: 'applied-in-order',
  promise: 'Effects on one entity happen in the order of the saves.',
  spec: ['R3'],
  watch: atEffect(() => {
    const last = new Map<string, number>();
    return (saved, { entityId, payload: { serial } }) => {
      const before = last.get(entityId) ?? 0;
      last.set(entityId, Math.max(before, serial));
      // A late copy of a request may take effect after a person has discarded the mutation: nobody can help it.
      if (serial >= before || saved?.discard !== 'no') return undefined;
      return `Save ${serial} of ${entityId} took effect after save ${before}.`;
    };
  }),
};

const waitsBehindDeadLetter: QueueInvariant = {
  id: 'waits-behind-a-dead-letter',
  promise: 'Nothing passes a dead letter of its own entity.',
  spec: ['R5'],
  watch: atEffect((world) => (_save, { entityId, payload: { serial } }) => {
    const passed = refusedIn(shown(world)).find(
      ({ mutation }) => mutation?.entityId === entityId && serialOf(mutation) < serial,
    );
    return (
      passed && `Save ${serial} of ${entityId} took effect while save ${serialOf(passed.mutation)} is a dead letter.`
    );
  }),
};

const rejectedStaysAway: QueueInvariant = {
  id: 'rejected-stays-away',
  promise: 'A save that was turned down never takes effect.',
  spec: ['R9'],
  settled: ({ facts }) => {
    const found = facts.saves.find(({ outcome, serial }) => outcome === 'rejected' && facts.applied.has(serial));
    return found && `Save ${found.serial} of ${found.entityId} was turned down, yet it took effect.`;
  },
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: the requests

const keyOf = ({ headers }: RequestRecord): string => headers['idempotency-key'] ?? '';

const fourInFlight: QueueInvariant = {
  id: 'four-in-flight',
  promise: 'Never are more than four requests out.',
  spec: ['R3'],
  watch: atSend(() => (_sent, others) => {
    const out = others().length;
    return out < IN_FLIGHT_MAX ? undefined : `A request left while ${out} others were out.`;
  }),
};

const oneTryAtATime: QueueInvariant = {
  id: 'one-try-at-a-time',
  promise: 'No mutation has two requests out at once.',
  spec: ['R7', 'E5'],
  watch: atSend(() => (sent, others) => {
    const twin = others().find((other) => keyOf(other) === keyOf(sent));
    return twin && `Key ${keyOf(sent)} was sent again while its request ${twin.nth} was still out.`;
  }),
};

const silentOffline: QueueInvariant = {
  id: 'silent-offline',
  promise: 'No request leaves while netInfo says offline.',
  spec: ['R6'],
  watch: () => (event) => {
    if (event.kind !== 'request' || event.phase !== 'sent' || event.request.sentOnline) return undefined;
    return `Request ${event.request.nth} left while the phone was offline.`;
  },
};

const isWake = (kind: string, condition: string | null): boolean =>
  kind === 'launch' || kind === 'action' || condition === 'online' || condition === 'foreground';

const withinBackoff: QueueInvariant = {
  id: 'within-backoff',
  promise: 'Without a success, tries of one mutation grow rarer, up to one in 15 s on average.',
  spec: ['R4'],
  watch: growsRarer({
    keyOf: (request) => `Key ${keyOf(request)}`,
    climbing: 12,
    everyMs: 4_000,
    isWake: (event) => isWake(event.kind, event.kind === 'condition' ? event.condition : null),
    endsWithAnySuccess: true,
  }),
};

const obeysRetryAfter: QueueInvariant = {
  id: 'obeys-retry-after',
  promise: 'Nothing leaves before Retry-After is over.',
  spec: ['R4', 'E6'],
  watch: waitsForRetryAfter({ keyOf: () => 'A request', graceMs: 5 }),
};

const waitsForSession: QueueInvariant = {
  id: 'waits-for-the-session',
  promise: 'After a 401 nothing leaves until start, connectivity or the foreground wakes the queue.',
  spec: ['R11'],
  watch: ({ facts }) => {
    let since: { readonly atMs: number; readonly wakes: number } | null = null;
    return (event) => {
      if (isWake(event.kind === 'action' ? '' : event.kind, event.kind === 'condition' ? event.condition : null)) {
        since = null;
      }
      if (event.kind !== 'request') return undefined;
      if (event.phase === 'received' && event.note === '401') since = { atMs: event.atMs, wakes: facts.wakes };
      if (event.phase !== 'sent' || since === null || since.wakes !== facts.wakes) return undefined;
      const seconds = Math.round((event.atMs - since.atMs) / 1_000);
      // The answer and another request may cross within the same moment.
      if (event.atMs - since.atMs < 5) return undefined;
      return `Request ${event.request.nth} left ${seconds} s after a 401, and nothing had woken the queue.`;
    };
  },
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold once all is well again

/** The first acknowledged save that neither took effect nor is held by the queue. */
function lostSave(world: QueueWorld, isMeant: (save: Save) => boolean): Save | undefined {
  const state = shown(world);
  const held = new Set([...state.pending, ...refusedIn(state).map(({ mutation }) => mutation)].map(serialOf));
  const isLost = ({ serial, outcome, discard }: Save) =>
    outcome === 'stored' && discard === 'no' && !world.facts.applied.has(serial) && !held.has(serial);
  return world.facts.saves.find((save) => isMeant(save) && isLost(save));
}

function acknowledgedButLost(world: QueueWorld): string | undefined {
  const lost = lostSave(world, ({ oldKey }) => oldKey === null);
  return (
    lost && `Save ${lost.serial} of ${lost.entityId} was acknowledged, but the server never got it and it is gone.`
  );
}

const acknowledgedIsKept: QueueInvariant = {
  id: 'acknowledged-is-kept',
  promise: 'Every acknowledged save has taken effect, or is a dead letter, or waits.',
  spec: ['R1'],
  settled: acknowledgedButLost,
  relaunched: acknowledgedButLost,
};

/** A pending mutation may only be left behind a dead letter of its own entity. */
function leftBehind(world: QueueWorld): string | undefined {
  const state = shown(world);
  const blocked = new Set(refusedIn(state).map(({ mutation }) => mutation?.entityId));
  const left = state.pending.find((mutation) => !blocked.has(mutation?.entityId));
  if (!left) return undefined;
  return `Save ${serialOf(left)} of ${left.entityId} is still pending (${state.status}), and no dead letter holds it up.`;
}

/** Nobody has signed in again: the queue rightly waits. */
function isPaused({ requests }: QueueWorld, state: QueueState): boolean {
  const launch = requests.at(-1)?.launch;
  const isTurnedAway = ({ outcome }: RequestRecord) => outcome?.kind === 'answered' && outcome.status === 401;
  return state.status === 'paused' && requests.some((request) => request.launch === launch && isTurnedAway(request));
}

const nothingLeftBehind: QueueInvariant = {
  id: 'nothing-left-behind',
  promise: 'Nothing stays pending but what waits behind a dead letter of its own entity.',
  spec: ['R5'],
  settled: (world) => (isPaused(world, shown(world)) ? undefined : leftBehind(world)),
  relaunched: leftBehind,
};

function discardedButShown(world: QueueWorld): string | undefined {
  const state = shown(world);
  const held = new Set([...state.pending, ...refusedIn(state).map(({ mutation }) => mutation)].map(serialOf));
  const found = world.facts.saves.find(({ discard, serial }) => discard === 'done' && held.has(serial));
  return found && `Save ${found.serial} of ${found.entityId} was discarded, and is back.`;
}

const decisionsStick: QueueInvariant = {
  id: 'decisions-stick',
  promise: 'What a person has discarded does not come back.',
  spec: ['R5'],
  settled: discardedButShown,
  relaunched: discardedButShown,
};

const shownIsStored: QueueInvariant = {
  id: 'shown-is-stored',
  promise: 'After one more launch the queue shows what it showed before.',
  spec: ['R10'],
  relaunched: (world, [before]) => {
    const app = world.phones[0]?.app;
    const was = before as ReturnType<typeof view> | null | undefined;
    if (!app || !was || was.status === 'paused') return undefined;
    const is = view(app);
    if (JSON.stringify(is) === JSON.stringify(was)) return undefined;
    return `Before a restart it showed ${JSON.stringify(was)}, after it ${JSON.stringify(is)}.`;
  },
};

const oldQueueTakenOver: QueueInvariant = {
  id: 'old-queue-taken-over',
  promise: 'The queue of version 1 is taken over with its keys, and its old place is empty.',
  spec: ['E10'],
  watch: atEffect(() => (saved, { key }) => {
    if (!saved?.oldKey || saved.oldKey === key) return undefined;
    return `Save ${saved.serial} came from version 1 with key ${saved.oldKey}, but was sent with key ${key}.`;
  }),
  settled: (world) => {
    const lost = lostSave(world, ({ oldKey }) => oldKey !== null);
    if (lost) return `The record of version 1 with key ${lost.oldKey} never reached the server and is gone.`;
    const old = world.phones[0]?.disk.asyncStorage.get(OLD_QUEUE);
    return old === undefined ? undefined : `The old queue is still stored under "${OLD_QUEUE}": ${old.slice(0, 80)}`;
  },
};

// ---------------------------------------------------------------------------------------------------------------------

/** Version 1 of the app left its queue behind: one world in three has one. */
function oldRecords(facts: Facts, count: number): Json[] {
  return Array.from({ length: count }, (_, index) => {
    const serial = index + 1;
    const oldKey = `v1-${serial}`;
    const saved: Save = {
      serial,
      entityId: entityId((index % 2) + 1),
      title: `old ${serial}`,
      outcome: 'stored',
      discard: 'no',
      oldKey,
    };
    facts.saves.push(saved);
    return {
      idempotencyKey: oldKey,
      entityId: saved.entityId,
      kind: 'visit.update',
      payload: { serial, title: saved.title },
      enqueuedAt: '2026-02-27T16:20:00.000Z',
    };
  });
}

/** As a shell would: a start that fails is tried again, a few times. */
function begin(app: OfflineQueue, follow: QueueStage['follow'], triesLeft: number): void {
  follow('start', () => app.start(), {
    failed: () => {
      if (triesLeft > 1) begin(app, follow, triesLeft - 1);
    },
  });
}

export const scenario = defineScenario<OfflineQueueModule, OfflineQueue, QueueBackend, Facts>({
  kata: 'offline-queue',
  apiUrl: 'https://api.fieldwork.test',
  slots: 14,
  gapsMs: [0, 5, 120, 1_000, 6_000, 40_000],
  endpoints: ['POST /mutations'],
  backend: createBackend,
  facts: () => ({ saves: [], applied: new Map(), wakes: 0 }),
  furnish(disk, facts, _phone, pick) {
    if (pick('version-1 queue', 3) > 0) return;
    disk.asyncStorage.set(OLD_QUEUE, JSON.stringify(oldRecords(facts, 1 + pick('version-1 length', 4))));
  },
  open({ module, device, apiUrl, follow, stateChanged }) {
    const app = module.createOfflineQueue({ device, apiUrl });
    app.subscribe(stateChanged);
    begin(app, follow, START_TRIES);
    return app;
  },
  close: (app) => app.dispose(),
  view,
  actions,
  conditions: {
    offline: { weight: 2, forMs: [3_000, 60_000, 3_600_000] },
    background: { forMs: [10_000, 300_000] },
    kill: { weight: 2, forMs: [200, 60_000] },
    clock: { byMs: [-3_600_000, 3_600_000] },
    outage: { forMs: [8_000, 120_000, 900_000] },
    flap: { forMs: [150, 1_200] },
  },
  faults: {
    'POST /mutations': [
      'request-lost',
      'response-lost',
      'hang',
      'delay',
      'duplicate',
      'truncate',
      'portal',
      'answer-401',
      'answer-408',
      'answer-409',
      'answer-422',
      'answer-425',
      'answer-429-seconds',
      'answer-500',
      'answer-503',
      'applied-then-500',
      'kill-before',
      'kill-after',
    ],
    'storage.write': ['full', 'failed', 'slow', 'kill-before', 'kill-after', 'torn'],
    'storage.read': ['slow', 'kill-before'],
  },
  invariants: [
    appliedOnce,
    appliedAsSaved,
    appliedInOrder,
    waitsBehindDeadLetter,
    rejectedStaysAway,
    fourInFlight,
    oneTryAtATime,
    silentOffline,
    withinBackoff,
    obeysRetryAfter,
    waitsForSession,
    acknowledgedIsKept,
    nothingLeftBehind,
    decisionsStick,
    shownIsStored,
    oldQueueTakenOver,
  ],
  budgets: [
    {
      id: 'requests',
      promise: 'Few requests a mutation.',
      spec: ['R14'],
      measure: ({ costs }) => costs.requests,
      allowance: 1.25,
    },
    {
      id: 'bytes-sent',
      promise: 'Few bytes sent.',
      spec: ['R14'],
      measure: ({ costs }) => costs.bytesSent,
      allowance: 1.25,
    },
    {
      id: 'storage-writes',
      promise: 'Two writes a mutation: one to keep it, one to let it go.',
      spec: ['R14'],
      measure: ({ costs }) => costs.storageWrites,
      allowance: 1.5,
    },
    {
      id: 'offline-wakeups',
      promise: 'Offline no timer wakes the phone.',
      spec: ['R6'],
      measure: ({ costs }) => costs.offlineWakeups,
      allowance: 1,
    },
  ],
  patienceMs: 120_000,
});
