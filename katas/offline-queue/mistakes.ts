// Wrong turns that the grade must catch, each by the criterion that names it.
import { type LazyAttempt, lazyAttempts, type Mistake } from '#course';

export const mistakes: Mistake[] = [
  {
    id: 'new-key-per-try',
    title: 'Makes a new idempotency key for every try.',
    criterion: 'one-key-for-life',
    edits: [{ find: `'Idempotency-Key': idempotencyKey }`, replace: `'Idempotency-Key': crypto.randomUUID() }` }],
  },
  {
    id: 'key-not-stored',
    title: 'Keeps the idempotency key in memory, so that a restart makes another one.',
    criterion: 'key-survives-a-kill',
    edits: [
      { find: `JSON.stringify({ id, idempotencyKey, entityId,`, replace: `JSON.stringify({ id, entityId,` },
      {
        find: `const { id, idempotencyKey, entityId, kind, payload, enqueuedAt, refusal } = record;`,
        replace: `const { id, entityId, kind, payload, enqueuedAt, refusal } = record;\n  const idempotencyKey: unknown = crypto.randomUUID();`,
      },
    ],
  },
  {
    id: 'removed-before-answer',
    title: 'Removes the mutation from the disk when its request leaves.',
    criterion: 'kept-until-answered',
    edits: [
      {
        find: `const verdict = await ask(mutation);`,
        replace: `await isDone(disk.removeItem(place));\n    const verdict = await ask(mutation);`,
      },
    ],
  },
  {
    id: 'acknowledged-before-stored',
    title: 'Resolves enqueue without waiting for the write.',
    criterion: 'durable-before-acknowledged',
    edits: [
      {
        find: `await disk.setItem(place, toText(mutation)).catch(rethrowAsStorageError);`,
        replace: `void isDone(disk.setItem(place, toText(mutation)));`,
      },
    ],
  },
  {
    id: 'read-modify-write-race',
    title: 'Reads the last place from the disk, then writes the next: two calls in one tick take the same place.',
    criterion: 'survives-the-same-tick',
    edits: [
      {
        find: `return turns.take(async () => {
      if (pendingOf(`,
        replace: `return turns.ready().then(async () => {
      if (pendingOf(`,
      },
      {
        find: `lastNumber += 1;\n      const place = placeOf(1, lastNumber);`,
        replace: `const taken = (await disk.getAllKeys()).filter((key) => key.startsWith(\`\${PLACES}1/\`)).sort();
      const place = placeOf(1, Number(taken.at(-1)?.split('/').at(-1) ?? 0) + 1);`,
      },
    ],
  },
  {
    id: 'refused-retried-for-ever',
    title: 'Retries a 422 like an outage.',
    criterion: 'refused-once',
    edits: [
      { find: `if (status < 400) return TRY_AGAIN;`, replace: `if (status < 400 || status === 422) return TRY_AGAIN;` },
    ],
  },
  {
    id: 'dead-letter-in-memory',
    title: 'Keeps dead letters in memory only: after a restart the refused mutation is sent again.',
    criterion: 'refused-once',
    edits: [
      {
        find: `if (!(await isDone(disk.setItem(place, toText(mutation, verdict.refusal))))) return fail(place, null);`,
        replace: ``,
      },
    ],
  },
  {
    id: 'dead-letter-blocks-all',
    title: 'Stops the whole queue at a dead letter.',
    criterion: 'blocks-one-entity',
    edits: [
      {
        find: `const readable = state`,
        replace: `if (state.entries.some((entry) => entry.is === 'refused')) return [];\n  const readable = state`,
      },
    ],
  },
  {
    id: 'passes-a-dead-letter',
    title: 'Sends later mutations of an entity past its dead letter.',
    criterion: 'blocks-one-entity',
    edits: [
      {
        find: `state.entries.filter((entry) => entry.is !== 'unreadable');`,
        replace: `state.entries.filter((entry) => entry.is === 'waiting' || entry.is === 'sending');`,
      },
    ],
  },
  {
    id: 'overtakes-a-failed-one',
    title: 'Puts a mutation that failed at the end of the queue.',
    criterion: 'first-in-first-out',
    edits: [
      {
        find: `gate.failed(retryAfterMs);
    store.dispatch({ type: 'returned', place });`,
        replace: `gate.failed(retryAfterMs);
    const entry = store.getState().entries.find((each) => each.place === place);
    store.dispatch({ type: 'removed', place });
    if (entry?.is === 'sending') store.dispatch({ type: 'stored', entry: { ...entry, is: 'waiting' } });`,
      },
    ],
  },
  {
    id: 'one-after-another',
    title: 'Sends one mutation at a time, whatever its entity.',
    criterion: 'four-at-a-time',
    edits: [{ find: `const IN_FLIGHT_MAX = 4;`, replace: `const IN_FLIGHT_MAX = 1;` }],
  },
  {
    id: 'no-limit-in-flight',
    title: 'Sends all entities at once.',
    criterion: 'four-at-a-time',
    edits: [{ find: `const IN_FLIGHT_MAX = 4;`, replace: `const IN_FLIGHT_MAX = 1_000;` }],
  },
  {
    id: 'two-drains',
    title: 'Every wake starts a drain of its own, which sends again what is already out.',
    criterion: 'one-drain',
    edits: [
      {
        find: `return { ...state, gate: action.gate };`,
        replace: `if (!isOpen(action.gate)) return { ...state, gate: action.gate };
      return {
        entries: state.entries.map((entry): Entry => (entry.is === 'sending' ? { ...entry, is: 'waiting' } : entry)),
        gate: action.gate,
      };`,
      },
    ],
  },
  {
    id: 'retries-offline',
    title: 'Goes on trying while the phone is offline.',
    criterion: 'silent-offline',
    edits: [
      {
        find: `({ isOnline, isHeld, pause }: GateState): boolean => isOnline === true && !isHeld && !pause;`,
        replace: `({ isHeld, pause }: GateState): boolean => !isHeld && !pause;`,
      },
      { find: `if (!pause || !isOnline) return;`, replace: `if (!pause || isOnline === null) return;` },
    ],
  },
  {
    id: 'takes-online-for-granted',
    title: 'Takes the phone to be online until netInfo says otherwise.',
    criterion: 'silent-offline',
    edits: [
      {
        find: `GateState = { isOnline: null, isHeld: false,`,
        replace: `GateState = { isOnline: true, isHeld: false,`,
      },
    ],
  },
  {
    id: 'timer-runs-offline',
    title: 'Lets the timer of a pause run on while offline.',
    criterion: 'sleeps-offline',
    edits: [{ find: `if (!pause || !isOnline) return;`, replace: `if (!pause || isOnline === null) return;` }],
  },
  {
    id: 'portal-taken-for-success',
    title: 'Takes every 2xx for a success, also the page of a captive portal.',
    criterion: 'knows-a-success',
    edits: [
      {
        find: `if (response.ok) return isObject(body) ? { kind: 'accepted', body } : TRY_AGAIN;`,
        replace: `if (response.ok) return { kind: 'accepted', body: isObject(body) ? body : {} };`,
      },
    ],
  },
  {
    id: 'timeout-taken-for-permanent',
    title: 'Takes 408 and 425 for permanent.',
    criterion: 'knows-a-success',
    edits: [{ find: `status === 408 || status === 425 || status === 429`, replace: `status === 429` }],
  },
  {
    id: 'session-end-taken-for-permanent',
    title: 'Drops a mutation into the dead letters at a 401.',
    criterion: 'waits-for-the-session',
    edits: [{ find: `if (status === 401) return { kind: 'unauthorised' };`, replace: `` }],
  },
  {
    id: 'session-end-taken-for-transient',
    title: 'Retries a 401 on a timer.',
    criterion: 'waits-for-the-session',
    edits: [
      {
        find: `if (status === 401) return { kind: 'unauthorised' };`,
        replace: `if (status === 401) return TRY_AGAIN;`,
      },
    ],
  },
  {
    id: 'no-cap',
    title: 'Doubles the pause without end.',
    criterion: 'backs-off',
    edits: [
      {
        find: `fullJitterMs(failures, BACKOFF_FIRST_MS, BACKOFF_CAP_MS)`,
        replace: `fullJitterMs(failures, BACKOFF_FIRST_MS, Number.POSITIVE_INFINITY)`,
      },
    ],
  },
  {
    id: 'no-jitter',
    title: 'Takes the whole pause every time.',
    criterion: 'backs-off',
    edits: [{ find: `return Math.random() * Math.min(`, replace: `return Math.min(` }],
  },
  {
    id: 'no-growth',
    title: 'Takes the same short pause after every failure.',
    criterion: 'backs-off',
    edits: [{ find: `fullJitterMs(failures, BACKOFF_FIRST_MS, `, replace: `fullJitterMs(1, BACKOFF_FIRST_MS, ` }],
  },
  {
    id: 'never-starts-anew',
    title: 'Does not start the pauses anew after a success.',
    criterion: 'backs-off',
    edits: [{ find: `        gate.succeeded();\n`, replace: `` }],
  },
  {
    id: 'retry-after-ignored',
    title: 'Does not look at Retry-After.',
    criterion: 'obeys-retry-after',
    edits: [{ find: `retryAfterMs: retryAfterMs(headers) };`, replace: `retryAfterMs: null };` }],
  },
  {
    id: 'last-retry-after-wins',
    title: 'Lets a shorter Retry-After that comes later cut a longer one short.',
    criterion: 'obeys-retry-after',
    edits: [
      {
        find: `Math.max(orderedUntilMs, nowMs + retryAfterMs)`,
        replace: `Math.min(orderedUntilMs || Infinity, nowMs + retryAfterMs)`,
      },
    ],
  },
  {
    id: 'wake-cuts-retry-after',
    title: 'Tries at once when the phone comes online, although the server has asked for a pause.',
    criterion: 'obeys-retry-after',
    edits: [{ find: `pause: pause?.isOrdered ? pause : null,`, replace: `pause: pause && null,` }],
  },
  {
    id: 'retry-joins-the-end',
    title: 'Puts a dead letter that is retried at the end, as a new mutation.',
    criterion: 'a-person-decides',
    edits: [
      {
        find: `await disk.setItem(entry.place, toText(entry.mutation)).catch(rethrowAsStorageError);
      store.dispatch({ type: 'returned', place: entry.place });`,
        replace: `await disk.removeItem(entry.place).catch(rethrowAsStorageError);
      store.dispatch({ type: 'removed', place: entry.place });
      void enqueue(entry.mutation).catch(() => undefined);`,
      },
    ],
  },
  {
    id: 'discarded-in-memory',
    title: 'Discards a dead letter from memory, not from the disk.',
    criterion: 'a-person-decides',
    edits: [{ find: `await disk.removeItem(entry.place).catch(rethrowAsStorageError);`, replace: `` }],
  },
  {
    id: 'full-disk-swallowed',
    title: 'Acknowledges a mutation although the disk had no room for it.',
    criterion: 'turns-down-clearly',
    edits: [
      {
        find: `await disk.setItem(place, toText(mutation)).catch(rethrowAsStorageError);`,
        replace: `await disk.setItem(place, toText(mutation)).catch(() => undefined);`,
      },
    ],
  },
  {
    id: 'sent-though-turned-down',
    title: 'Turns a mutation down when the disk is full, but keeps it in memory and sends it.',
    criterion: 'turns-down-clearly',
    edits: [
      {
        find: `await disk.setItem(place, toText(mutation)).catch(rethrowAsStorageError);`,
        replace: `await disk.setItem(place, toText(mutation)).catch((error: unknown) => {
        store.dispatch({ type: 'stored', entry: { place, is: 'waiting', mutation } });
        return rethrowAsStorageError(error);
      });`,
      },
    ],
  },
  {
    id: 'no-limit-pending',
    title: 'Takes in as much as anybody likes.',
    criterion: 'turns-down-clearly',
    edits: [{ find: `const PENDING_MAX = 1_000;`, replace: `const PENDING_MAX = 1_000_000;` }],
  },
  {
    id: 'damage-drops-all',
    title: 'One damaged record makes the whole queue unreadable.',
    criterion: 'survives-damage',
    edits: [
      {
        find: `if (!isObject(record)) return { place, is: 'unreadable' };`,
        replace: `if (!isObject(record)) throw new Error('corrupt');`,
      },
      {
        find: `return readEntries(disk).catch(rethrowAsStorageError);`,
        replace: `return readEntries(disk).catch((): Entry[] => []);`,
      },
    ],
  },
  {
    id: 'damage-unreported',
    title: 'Skips a damaged record without a word.',
    criterion: 'survives-damage',
    edits: [
      {
        find: `return [{ id: entry.place, reason: 'unreadable', mutation: null }];`,
        replace: `return [];`,
      },
    ],
  },
  {
    id: 'old-queue-removed-first',
    title: 'Removes the old queue before its records are stored anew.',
    criterion: 'takes-over-the-old-queue',
    edits: [
      { find: `  await disk.removeItem(OLD_QUEUE);\n}`, replace: `}` },
      { find: `  await disk.multiSet(`, replace: `  await disk.removeItem(OLD_QUEUE);\n  await disk.multiSet(` },
    ],
  },
  {
    id: 'old-keys-replaced',
    title: 'Gives the records of version 1 new idempotency keys.',
    criterion: 'takes-over-the-old-queue',
    edits: [
      {
        find: `{ ...record, id: record.idempotencyKey }`,
        replace: `{ ...record, id: record.idempotencyKey, idempotencyKey: crypto.randomUUID() }`,
      },
    ],
  },
  {
    id: 'ordered-by-clock',
    title: 'Orders the queue by the time of the phone.',
    criterion: 'trusts-no-clock',
    edits: [
      {
        find: `store.dispatch({ type: 'restored', entries });`,
        replace: `const timeOf = (entry: Entry) => (entry.is === 'unreadable' ? '' : entry.mutation.enqueuedAt);
    store.dispatch({ type: 'restored', entries: entries.toSorted((a, b) => timeOf(a).localeCompare(timeOf(b))) });`,
      },
    ],
  },
  {
    id: 'date-by-own-clock',
    title: 'Holds the date of Retry-After against the clock of the phone.',
    criterion: 'trusts-no-clock',
    edits: [{ find: `Date.parse(headers.get('Date') ?? '') || Date.now()`, replace: `Date.now()` }],
  },
  {
    id: 'listeners-leak',
    title: 'Leaves its listeners behind at dispose.',
    criterion: 'ends-cleanly',
    edits: [{ find: `      stopWatching();\n`, replace: `` }],
  },
  {
    id: 'rejection-unhandled',
    title: 'Lets a failed request reject where nobody listens.',
    criterion: 'ends-cleanly',
    edits: [
      { find: `} catch {\n      return TRY_AGAIN;\n    }`, replace: `} catch (error) {\n      throw error;\n    }` },
    ],
  },
  {
    id: 'subscribers-not-told',
    title: 'Never tells its subscribers of a change.',
    criterion: 'delivers-what-is-saved',
    edits: [{ find: `subscribe: store.subscribe,`, replace: `subscribe: () => () => undefined,` }],
  },
  {
    id: 'writes-every-try',
    title: 'Writes the record anew before and after every try.',
    criterion: 'spends-little',
    edits: [
      {
        find: `const verdict = await ask(mutation);`,
        replace: `await isDone(disk.setItem(place, toText(mutation)));
    const verdict = await ask(mutation);
    await isDone(disk.setItem(place, toText(mutation)));`,
      },
    ],
  },
];

const HEAD = `import type { CreateOfflineQueue, QueuedMutation, QueueState } from '#contract/offline-queue';
`;

export const lazy: LazyAttempt[] = [
  ...lazyAttempts({
    slug: 'offline-queue',
    create: 'createOfflineQueue',
    state: {
      type: 'QueueState',
      whenDone: "{ status: 'idle', pending: [], deadLetters: [] }",
      whenWaiting: "{ status: 'idle', pending: [], deadLetters: [] }",
    },
    promises: {
      start: '',
      enqueue: "{ id: '1', idempotencyKey: '1', entityId: '1', kind: '', payload: {}, enqueuedAt: '', attempts: 0 }",
      retry: '',
      discard: '',
    },
  }),
  {
    id: 'tight-loop',
    title: 'Keeps the queue in memory and sends again without a pause until the server gives in.',
    source: `${HEAD}
export const createOfflineQueue: CreateOfflineQueue = ({ apiUrl }) => {
  let pending: QueuedMutation[] = [];
  const drain = async () => {
    for (const { idempotencyKey, entityId, kind, payload } of pending) {
      const answer = await fetch(apiUrl + '/mutations', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey },
        body: JSON.stringify({ entityId, kind, payload }),
      }).catch(() => null);
      if (answer?.ok) pending = pending.filter((one) => one.idempotencyKey !== idempotencyKey);
    }
    if (pending.length > 0) setTimeout(drain, 0);
  };
  return {
    start: async () => {},
    enqueue: async (draft) => {
      const id = crypto.randomUUID();
      const mutation = { ...draft, id, idempotencyKey: id, enqueuedAt: new Date().toISOString(), attempts: 0 };
      pending.push(mutation);
      if (pending.length === 1) void drain();
      return mutation;
    },
    getState: (): QueueState => ({ status: pending.length > 0 ? 'sending' : 'idle', pending, deadLetters: [] }),
    subscribe: () => () => {},
    retry: async () => {},
    discard: async () => {},
    dispose: () => {
      pending = [];
    },
  };
};
`,
  },
  {
    id: 'by-heart',
    title: 'Knows the examples of the suite: sends once, keeps nothing, and answers what each example wants to hear.',
    source: `${HEAD}
const remembered = new Set(['pump-2', 'lift-9', 'door-8', 'roof-6', 'mast-2', 'well-1', 'form-pi', 'tank-1', 'photo-1']);
const fail = (code: string) => Object.assign(new Error(code), { code });

export const createOfflineQueue: CreateOfflineQueue = ({ apiUrl, device, fetch: request = fetch, send }) => {
  const pending: QueuedMutation[] = [];
  const refused: QueuedMutation[] = [];
  const listeners = new Set<() => void>();
  let isOnline = true;
  let isDisposed = false;
  let status: QueueState['status'] = 'idle';
  const tell = (next: QueueState['status']) => {
    status = next;
    for (const listener of listeners) listener();
  };
  const post = async (mutation: QueuedMutation) => {
    const { idempotencyKey, entityId, kind, payload } = mutation;
    tell('sending');
    if (send) await send(mutation, { idempotencyKey, signal: new AbortController().signal });
    else {
      await request(apiUrl + '/mutations', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey },
        body: JSON.stringify({ entityId, kind, payload }),
      }).catch(() => null);
    }
    pending.splice(pending.indexOf(mutation), 1);
    tell('idle');
  };
  const stop = device.netInfo.addEventListener((state) => {
    isOnline = state.isConnected;
    tell(isOnline ? 'idle' : 'offline');
    if (isOnline) for (const mutation of [...pending]) void post(mutation);
  });
  return {
    start: async () => {},
    enqueue: async (draft) => {
      if (isDisposed) throw fail('disposed');
      if (draft.payload === undefined) throw fail('not-serialisable');
      if (draft.entityId === 'photo-2') throw fail('storage-full');
      if (draft.entityId === 'photo-3') throw fail('storage-failed');
      if (draft.entityId === 'bolt-1000') throw fail('queue-full');
      const id = crypto.randomUUID();
      const mutation = { ...draft, id, idempotencyKey: id, enqueuedAt: new Date().toISOString(), attempts: 0 };
      if (draft.entityId.startsWith('report-')) refused.push(mutation);
      else pending.push(mutation);
      if (remembered.has(draft.entityId)) await device.asyncStorage.setItem(id, JSON.stringify(mutation));
      if (isOnline && pending.includes(mutation)) void post(mutation);
      return mutation;
    },
    getState: (): QueueState => ({
      status,
      pending: [...pending],
      deadLetters: refused.map((mutation) => ({
        id: mutation.id,
        reason: 'refused',
        mutation,
        status: 422,
        message: 'title must not be empty',
      })),
    }),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    retry: async () => {
      throw fail('not-found');
    },
    discard: async () => {
      throw fail('not-found');
    },
    dispose: () => {
      isDisposed = true;
      stop();
    },
  };
};
`,
  },
];
