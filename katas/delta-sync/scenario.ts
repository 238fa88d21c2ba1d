// The simulation: two phones and a website change one set of tasks while everything that can go wrong does.
import fc from 'fast-check';
import type {
  Changes,
  DeltaSyncModule,
  Fields,
  Migration,
  Row,
  Schema,
  SyncDatabase,
  SyncState,
} from '#contract/delta-sync';
import {
  atKind,
  atSend,
  defineAction,
  defineScenario,
  type Invariant,
  type OpenContext,
  type PhoneView,
  type RequestRecord,
  type Stage,
  type TraceEvent,
  type WorldView,
} from '#simulator';
import { createBackend, type SyncBackend } from './backend.ts';

/** One column of one row as a person set it. Values are unlike any other, so that each is known wherever it turns up. */
interface Write {
  /** `table/id`, and the column behind it. */
  readonly place: string;
  readonly key: string;
  readonly value: string | number;
  /** `open`: no answer yet, or never, because the app was killed. */
  outcome: 'open' | 'stored' | 'rejected';
}

/** What is known of one phone. Rows go by `table/id`. */
interface PhoneFacts {
  launches: number;
  /** Version of the app's schema at the present launch. */
  version: number;
  readonly firstVersion: number;
  /** Calls of `sync`, and requests that have left, in the present launch. */
  syncs: number;
  requests: number;
  /** The last write of each column. */
  readonly writes: Map<string, Write>;
  /** When a local write of a row last began or ended, in ms of the run. */
  readonly touchedAtMs: Map<string, number>;
  /** Removals that were asked for, and those that have resolved. */
  readonly removing: Set<string>;
  readonly removed: Set<string>;
  /** Rows as they were last shown, by table, in the quiet at the end. */
  shown: Record<string, Row[]> | null;
}

interface Facts {
  readonly phones: PhoneFacts[];
  /** Rows that anybody might know, in the order in which they came up. */
  readonly places: string[];
  /** Values of each phone's own: nobody else ever writes them. */
  serial: number;
  readonly author: Map<string, number>;
  /** Values that a push has brought to the server, as `table/id/column=value`. */
  readonly arrived: Set<string>;
  /** What looking at rows has brought to light; each is a violation. */
  torn: string | null;
  returned: string | null;
  oddId: string | null;
  /** Those who come back to the phones in the quiet at the end; which meeting of theirs counts. */
  readonly visitors: SyncStage[];
  meetings: number;
}

type SyncStage = Stage<SyncDatabase, SyncBackend, Facts>;
type SyncWorld = WorldView<SyncDatabase, SyncBackend, Facts>;
type SyncInvariant = Invariant<SyncDatabase, SyncBackend, Facts>;
type Opening = OpenContext<DeltaSyncModule, SyncBackend, Facts>;

const PULL = 'GET /sync';
const PUSH = 'POST /sync';
const START_TRIES = 5;
const REQUESTS_PER_SYNC = 6;
const NEWEST = 3;

/** The app's schema at each of its versions. `order` came with the second, `tag` with the third. */
function schemaOf(version: number): Schema {
  const title = { type: 'string', since: 1 } as const;
  const done = { type: 'boolean', since: 1 } as const;
  const order = { type: 'number', since: 2 } as const;
  const label = { type: 'string', since: 3 } as const;
  const task = version < 2 ? { title, done } : { title, done, order };
  return { version, tables: version < 3 ? { task } : { task, tag: { label } } };
}
const SCHEMAS = [schemaOf(1), schemaOf(2), schemaOf(3)];
const schemaOn = ({ version }: PhoneFacts): Schema => SCHEMAS[version - 1] ?? schemaOf(NEWEST);
const tablesOn = (phone: PhoneFacts): string[] => Object.keys(schemaOn(phone).tables);
const columnsOn = (phone: PhoneFacts, table: string): string[] => Object.keys(schemaOn(phone).tables[table] ?? {});

const placeOf = (table: string, id: string) => `${table}/${id}`;
const partsOf = (place: string): [table: string, id: string] => {
  const [table = '', id = ''] = place.split('/');
  return [table, id];
};

// ---------------------------------------------------------------------------------------------------------------------
// What people do

type OfPhone = Pick<SyncStage, 'facts'> & { readonly phone: { readonly index: number } };

function factsOf({ facts, phone }: OfPhone): PhoneFacts {
  const known = facts.phones[phone.index];
  if (!known) throw new Error(`There are no facts of phone ${phone.index}.`);
  return known;
}

/** Values that say who wrote them, as the facts know it. */
function signed(stage: SyncStage, word: string): { text: string; number: number } {
  const { facts, phone } = stage;
  facts.serial += 1;
  const values = { text: `${word} #${facts.serial}`, number: facts.serial };
  facts.author.set(values.text, phone.index);
  facts.author.set(String(values.number), phone.index);
  return values;
}

/** Notes a local write from its call to its end. */
function tracked(stage: SyncStage, place: string, fields: Fields) {
  const phone = factsOf(stage);
  const writes = Object.entries(fields).flatMap(([column, value]): Write[] => {
    if (typeof value !== 'string' && typeof value !== 'number') return [];
    return [{ place, key: `${place}/${column}`, value, outcome: 'open' }];
  });
  const previous = writes.map(({ key }) => phone.writes.get(key));
  const touch = () => phone.touchedAtMs.set(place, now(stage));
  touch();
  for (const write of writes) phone.writes.set(write.key, write);
  return {
    done: () => {
      touch();
      for (const write of writes) write.outcome = 'stored';
    },
    failed: () => {
      touch();
      for (const [n, write] of writes.entries()) {
        write.outcome = 'rejected';
        const before = previous[n];
        // What was refused has changed nothing: the write before it counts, unless another one came since.
        if (phone.writes.get(write.key) === write && before) phone.writes.set(write.key, before);
      }
    },
  };
}

/** The phone's clock jumps; what happened first is told by the server's. */
const now = ({ backend }: SyncStage): number => backend.nowMs();

function addRow(stage: SyncStage, word: string, isTag: boolean): void {
  const phone = factsOf(stage);
  const { app, facts, follow } = stage;
  const table = isTag && phone.version >= 3 ? 'tag' : 'task';
  const { text, number } = signed(stage, word);
  const task = phone.version >= 2 ? { title: text, done: false, order: number } : { title: text, done: false };
  const fields: Fields = table === 'tag' ? { label: text } : task;
  follow(`create "${text}"`, () => app.create(table, fields), {
    done: (id) => {
      const place = placeOf(table, String(id));
      if (!/^[a-zA-Z0-9]{16}$/.test(String(id)) || facts.places.includes(place)) facts.oddId = String(id);
      facts.places.push(place);
      tracked(stage, place, fields).done();
    },
  });
}

const placeAt = ({ places }: Facts, nth: number): string => places[nth % places.length] ?? '';

function edit(stage: SyncStage, nth: number, word: string, what: 'text' | 'number' | 'done'): void {
  const place = placeAt(stage.facts, nth);
  const [table, id] = partsOf(place);
  const phone = factsOf(stage);
  if (!tablesOn(phone).includes(table)) return;
  const { text, number } = signed(stage, word);
  const ofTask: Fields = what === 'done' ? { done: number % 2 === 0 } : { title: text };
  const order: Fields | null = what === 'number' && phone.version >= 2 ? { order: number } : null;
  const fields = table === 'tag' ? { label: text } : (order ?? ofTask);
  const label = `update ${place} ${JSON.stringify(fields)}`;
  stage.follow(label, () => stage.app.update(table, id, fields), tracked(stage, place, fields));
}

function removeRow(stage: SyncStage, nth: number): void {
  const place = placeAt(stage.facts, nth);
  const [table, id] = partsOf(place);
  const phone = factsOf(stage);
  if (!tablesOn(phone).includes(table)) return;
  phone.removing.add(place);
  const { done, failed } = tracked(stage, place, {});
  stage.follow(`remove ${place}`, () => stage.app.remove(table, id), {
    done: () => {
      done();
      phone.removed.add(place);
    },
    failed,
  });
}

function sync(stage: SyncStage, then: () => void = () => {}): void {
  const { app, follow } = stage;
  factsOf(stage).syncs += 1;
  follow('sync', () => app.sync(), { done: then, failed: then });
}

const word = fc.constantFrom('milk', 'bread', 'Brötchen', '温度計', "O'Neil", 'a "b"');
const nth = fc.oneof(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 11 }));
const what = fc.constantFrom('text', 'number', 'done');
type What = 'text' | 'number' | 'done';

const actions = {
  add: defineAction<SyncDatabase, SyncBackend, Facts, { word: string; isTag: boolean }>({
    weight: 3,
    args: fc.record({ word, isTag: fc.boolean() }),
    says: ({ word, isTag }) => `adds ${isTag ? 'a tag' : 'a task'}: ${word}`,
    run: (stage, { word, isTag }) => addRow(stage, word, isTag),
  }),
  edit: defineAction<SyncDatabase, SyncBackend, Facts, { nth: number; word: string; what: What }>({
    weight: 4,
    args: fc.record({ nth, word, what }),
    says: ({ nth, what }) => `changes the ${what} of row ${nth + 1}`,
    run: (stage, { nth, word, what }) => edit(stage, nth, word, what),
  }),
  remove: defineAction<SyncDatabase, SyncBackend, Facts, { nth: number }>({
    weight: 2,
    args: fc.record({ nth }),
    says: ({ nth }) => `removes row ${nth + 1}`,
    run: (stage, { nth }) => removeRow(stage, nth),
  }),
  removeNewest: defineAction<SyncDatabase, SyncBackend, Facts, Record<string, never>>({
    args: fc.constant({}),
    says: () => 'removes the newest row',
    run: (stage) => removeRow(stage, stage.facts.places.length - 1),
  }),
  sync: defineAction<SyncDatabase, SyncBackend, Facts, Record<string, never>>({
    weight: 4,
    args: fc.constant({}),
    says: () => 'pulls down to refresh',
    run: (stage) => sync(stage),
  }),
  syncThrice: defineAction<SyncDatabase, SyncBackend, Facts, { nth: number; word: string }>({
    args: fc.record({ nth, word }),
    says: ({ nth }) => `syncs three times in the same tick, and changes row ${nth + 1}`,
    run: (stage, { nth, word }) => {
      sync(stage);
      sync(stage);
      edit(stage, nth, word, 'text');
      sync(stage);
    },
  }),
  changeDuringPush: defineAction<
    SyncDatabase,
    SyncBackend,
    Facts,
    { nth: number; word: string; what: What | 'remove' }
  >({
    weight: 2,
    args: fc.record({ nth, word, what: fc.constantFrom('text', 'number', 'remove') }),
    says: ({ nth, what }) =>
      `changes row ${nth + 1}, syncs, and ${what === 'remove' ? 'removes' : 'changes'} it during the push`,
    run: changeDuringPush,
  }),
  look: defineAction<SyncDatabase, SyncBackend, Facts, Record<string, never>>({
    args: fc.constant({}),
    says: () => 'looks at the lists',
    run: (stage) => look(stage, () => {}),
  }),
  webEdit: defineAction<SyncDatabase, SyncBackend, Facts, { nth: number; word: string; what: What }>({
    weight: 2,
    opensApp: false,
    args: fc.record({ nth, word, what }),
    says: ({ nth, what }) => `Somebody changes the ${what} of row ${nth + 1} on the website.`,
    run: ({ backend, facts }, { nth, word, what }) => {
      const [table, id] = partsOf(placeAt(facts, nth));
      if (!backend.row(table, id)) return;
      const n = backend.history.length;
      const ofTask = { text: { title: `${word} web ${n}` }, number: { order: -n }, done: { done: n % 2 === 0 } };
      backend.write(table, id, table === 'tag' ? { label: `${word} web ${n}` } : ofTask[what]);
    },
  }),
  webRemove: defineAction<SyncDatabase, SyncBackend, Facts, { nth: number }>({
    opensApp: false,
    args: fc.record({ nth }),
    says: ({ nth }) => `Somebody deletes row ${nth + 1} on the website.`,
    run: ({ backend, facts }, { nth }) => {
      const [table, id] = partsOf(placeAt(facts, nth));
      if (backend.row(table, id)) backend.erase(table, id);
    },
  }),
};

/** The screen is still open while its rows are on their way. */
function changeDuringPush(
  stage: SyncStage,
  { nth, word, what }: { nth: number; word: string; what: What | 'remove' },
): void {
  edit(stage, nth, word, 'text');
  let isDone = false;
  const leave = stage.app.subscribe(() => {
    // Once people have come together nobody types any more.
    const isQuiet = stage.facts.visitors.length > 0;
    if (isDone || isQuiet || stage.app.getState().status !== 'pushing') return;
    isDone = true;
    if (what === 'remove') removeRow(stage, nth);
    else edit(stage, nth, word, what);
  });
  sync(stage, () => leave());
}

// ---------------------------------------------------------------------------------------------------------------------
// Launches, and the quiet at the end

/** As a shell would: a start that fails is tried again; then the lists are shown, then a sync begins. */
function begin(stage: SyncStage, triesLeft: number): void {
  const { app, follow } = stage;
  follow('start', () => app.start(), {
    done: () => {
      if (factsOf(stage).launches > 1) look(stage, (lists) => checkLaunch(stage, lists));
      // In the quiet at the end the visitors do it, in turn.
      if (stage.facts.visitors.length === 0) sync(stage);
    },
    failed: () => {
      if (triesLeft > 1) begin(stage, triesLeft - 1);
    },
  });
}

type Lists = Record<string, Row[]>;

/** Asks for all rows, and looks for those that must not be there. */
function look(stage: SyncStage, then: (lists: Lists) => void): void {
  const phone = factsOf(stage);
  const tables = tablesOn(phone);
  const removedBefore = [...phone.removed];
  listAll(stage, tables, (lists) => {
    const back = removedBefore.find((place) => {
      const [table, id] = partsOf(place);
      return lists[table]?.some((row) => row?.id === id);
    });
    if (back) stage.facts.returned = `Phone ${stage.phone.index + 1} shows ${back}, which was removed there before.`;
    then(lists);
  });
}

function listAll({ app, follow }: SyncStage, tables: readonly string[], then: (lists: Lists) => void): void {
  follow('list', () => Promise.all(tables.map((table) => app.list(table))), {
    done: (lists) => then(Object.fromEntries(tables.map((table, n) => [table, lists[n] ?? []]))),
  });
}

/** Nobody else is there: the phones sync in turn until each has heard of the other, and then show what they have. */
function comeTogether(facts: Facts): void {
  const [first, second] = facts.visitors;
  if (!first || !second) return;
  facts.meetings += 1;
  const meeting = facts.meetings;
  const turns = [first, second, first];
  const meet = (turn: number): void => {
    if (facts.meetings !== meeting) return;
    const stage = turns[turn];
    if (stage) sync(stage, () => meet(turn + 1));
    else show(first, () => show(second, () => {}));
  };
  // A shell that has given up on a start tries again when somebody comes back.
  start(first, () => start(second, () => meet(0)));
}

function show(stage: SyncStage, then: () => void): void {
  look(stage, (lists) => {
    factsOf(stage).shown = lists;
    then();
  });
}

const start = ({ app, follow }: SyncStage, done: () => void): void => follow('start', () => app.start(), { done });

/**
 * After a launch the rows are those of the server at `lastPulledAt`, and what was done here: a pull that was stored in
 * part, or apart from its time, shows.
 */
function checkLaunch({ app, backend, facts, phone }: SyncStage, lists: Lists): void {
  const known = facts.phones[phone.index];
  const { lastPulledAt } = stateOf(app);
  if (!known) return;
  const then = new Map<string, Row | null>();
  for (const { table, id, row, changedAt } of backend.history) {
    if (changedAt <= (lastPulledAt ?? 0)) then.set(placeOf(table, id), row);
  }
  const at = `phone ${phone.index + 1} has pulled at ${lastPulledAt}`;
  for (const [table, rows] of Object.entries(lists)) {
    const here = new Map(rows.map((row) => [placeOf(table, row.id), row]));
    for (const [place, row] of then) {
      const isOfTable = partsOf(place)[0] === table;
      // A newer schema's tables come with the next pull.
      const isExpected = row && isOfTable && table === 'task' && !known.removing.has(place);
      if (isExpected && !here.has(place)) facts.torn ??= `By its own word ${at}, but it does not have ${place}.`;
    }
    for (const [place, row] of here)
      facts.torn ??= strange(row, then.get(place), known.touchedAtMs.has(place), facts, at, place);
  }
}

/** Why a row cannot be what was pulled then. */
function strange(
  row: Row,
  then: Row | null | undefined,
  isTouched: boolean,
  { author }: Facts,
  at: string,
  place: string,
): string | null {
  if (then === null) return `By its own word ${at}, but it has ${place}, which was deleted by then.`;
  const [column, text] = 'label' in row ? ['label', row.label] : ['title', row.title];
  const isOwn = isTouched || author.has(String(text));
  if (isOwn) return null;
  if (!then) return `By its own word ${at}, but it has ${place}, which the server had not yet.`;
  if (then[column] === text) return null;
  return `By its own word ${at}, but ${place} has "${text}" where the server had "${then[column]}".`;
}

// ---------------------------------------------------------------------------------------------------------------------
// What can be seen. An attempt is not trusted to keep to its types.

function stateOf(app: SyncDatabase | null | undefined): Partial<SyncState> {
  return app?.getState() ?? {};
}

const timeIn = ({ url }: RequestRecord): number | null => {
  const text = /[?&]last_pulled_at=([^&]*)/.exec(url)?.[1];
  return text === undefined || text === 'null' ? null : Number(text);
};

/** Several invariants look at a push, one after another: it is read once. */
let lastRead: { readonly request: RequestRecord; readonly changes: Changes } | null = null;

/** The changes of a push; none when they cannot be read. */
function changesIn(request: RequestRecord): Changes {
  if (lastRead?.request !== request) lastRead = { request, changes: readChanges(request.body ?? '') };
  return lastRead.changes;
}

function readChanges(text: string): Changes {
  try {
    return (JSON.parse(text) as { changes?: Changes }).changes ?? {};
  } catch {
    return {};
  }
}

/** Rows of a push, and the ids it deletes, as places. */
const rowsIn = (changes: Changes): [place: string, row: Row, table: string][] =>
  Object.entries(changes).flatMap(([table, { created = [], updated = [] }]) =>
    [...created, ...updated].map((row): [string, Row, string] => [placeOf(table, row.id), row, table]),
  );
const placesIn = (changes: Changes): string[] => [
  ...rowsIn(changes).map(([place]) => place),
  ...Object.entries(changes).flatMap(([table, { deleted = [] }]) => deleted.map((id) => placeOf(table, id))),
];

/** Calls `look` at each push as it leaves, with what is known of its phone. */
const atPush = (
  look: (world: SyncWorld) => (request: RequestRecord, phone: PhoneFacts) => string | undefined,
): NonNullable<SyncInvariant['watch']> =>
  atSend((world: SyncWorld) => {
    const lookAt = look(world);
    return (request) => {
      const phone = world.facts.phones[request.phone];
      return request.endpoint === PUSH && phone ? lookAt(request, phone) : undefined;
    };
  });

interface Answer {
  readonly timestamp: number;
  readonly schemaVersion: number;
}

/** Which answer the server gave to which pull: its effect follows the arrival. */
function pullAnswers(): { note(event: TraceEvent): void; of(request: RequestRecord): Answer | undefined } {
  const answers = new Map<number, Answer>();
  let arrived: RequestRecord | null = null;
  return {
    note(event) {
      if (event.kind === 'request' && event.phase === 'arrived') arrived = event.request;
      if (event.kind === 'effect' && event.label === 'pulled' && arrived)
        answers.set(arrived.id, event.data as unknown as Answer);
    },
    of: ({ id }) => answers.get(id),
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: requests

const oneRequestAtATime: SyncInvariant = {
  id: 'one-request-at-a-time',
  promise: 'A phone never has two requests of its sync out at once.',
  spec: ['R11'],
  watch: atSend(() => (sent, others) => {
    const [other] = others();
    return other && `${sent.endpoint} ${sent.nth} left while ${other.endpoint} ${other.nth} was still out.`;
  }),
};

const timeIsTheServers: SyncInvariant = {
  id: 'time-is-the-servers',
  promise: 'lastPulledAt is a timestamp of the server, and never goes back.',
  spec: ['R4'],
  watch: () => {
    const answers = pullAnswers();
    const given = new Set<number>();
    const latest = new Map<number, number>();
    return atKind(['effect', 'request'], (event) => {
      answers.note(event);
      if (event.kind === 'effect' && event.label === 'pulled') given.add((event.data as unknown as Answer).timestamp);
      if (event.kind !== 'request' || event.phase !== 'sent') return undefined;
      const time = timeIn(event.request);
      const before = latest.get(event.phone) ?? null;
      if (time !== null) latest.set(event.phone, time);
      const name = `${event.request.endpoint} ${event.request.nth} of phone ${event.phone + 1}`;
      if (time !== null && !given.has(time)) return `${name} carried ${time}, which the server never gave.`;
      return before !== null && (time ?? 0) < before ? `${name} carried ${time} after ${before}.` : undefined;
    });
  },
};

const pushFollowsItsPull: SyncInvariant = {
  id: 'push-follows-its-pull',
  promise: 'Before each push there is a pull, and the push carries its timestamp.',
  spec: ['R3', 'R10'],
  watch: () => {
    const answers = pullAnswers();
    const pulled = new Map<number, number>();
    return atKind(['launch', 'effect', 'request'], (event) => {
      answers.note(event);
      if (event.kind === 'launch') pulled.delete(event.phone);
      if (event.kind !== 'request') return undefined;
      const { request } = event;
      if (request.endpoint === PULL && event.phase === 'received') {
        const answer = answers.of(request);
        if (answer) pulled.set(event.phone, answer.timestamp);
      }
      if (request.endpoint !== PUSH || event.phase !== 'sent') return undefined;
      const last = pulled.get(event.phone);
      pulled.delete(event.phone);
      const name = `Push ${request.nth} of phone ${event.phone + 1}`;
      if (last === undefined) return `${name} left without a pull before it.`;
      return timeIn(request) === last ? undefined : `${name} carried ${timeIn(request)}; the last pull gave ${last}.`;
    });
  },
};

const threeRoundsASync: SyncInvariant = {
  id: 'three-rounds-a-sync',
  promise: 'A sync has three rounds at most, and nothing leaves without one.',
  spec: ['R10'],
  watch: atSend(({ facts }: SyncWorld) => ({ phone, endpoint, nth }) => {
    const own = facts.phones[phone];
    if (!own) return undefined;
    own.requests += 1;
    if (own.requests <= REQUESTS_PER_SYNC * own.syncs) return undefined;
    return `${endpoint} ${nth} of phone ${phone + 1} was request ${own.requests} of ${own.syncs} calls of sync.`;
  }),
};

const onlyRowsAreSent: SyncInvariant = {
  id: 'only-rows-are-sent',
  promise: 'A pushed row holds its id and the columns of the schema.',
  spec: ['R8'],
  watch: atPush(() => (request, phone) => {
    for (const [place, row, table] of rowsIn(changesIn(request))) {
      const keys = Object.keys(row).sort().join(', ');
      const columns = ['id', ...columnsOn(phone, table)].sort().join(', ');
      if (keys !== columns) return `${place} was pushed with ${keys}; the schema has ${columns}.`;
    }
    return undefined;
  }),
};

const onlyChangesAreSent: SyncInvariant = {
  id: 'only-changes-are-sent',
  promise: 'A push holds only rows that were changed here since they were synced.',
  spec: ['R9'],
  watch: (world) => {
    const { facts } = world;
    // A write that came after the answer to the pull may or may not be in the push that followed.
    const pulledAtMs = new Map<number, number>();
    const accepted = new Map<number, { readonly places: string[]; readonly pulledAtMs: number }>();
    const sinceMs = new Map<number, number>();
    const syncedAtMs = new Map<string, number>();
    return atKind(['launch', 'settled', 'request'], (event) => {
      if (event.kind === 'launch') accepted.delete(event.phone);
      const phone = facts.phones[event.phone];
      if (event.kind === 'settled' && event.label === 'sync' && event.error === null) {
        const isFine = stateOf(world.phones[event.phone]?.app).error === null;
        const push = isFine ? accepted.get(event.phone) : undefined;
        for (const place of push?.places ?? []) syncedAtMs.set(`${event.phone} ${place}`, push?.pulledAtMs ?? 0);
        accepted.delete(event.phone);
      }
      if (event.kind !== 'request' || !phone) return undefined;
      const { request, phase } = event;
      if (request.endpoint === PULL && phase === 'received') pulledAtMs.set(event.phone, world.backend.nowMs());
      if (request.endpoint === PUSH && phase === 'received' && event.note === '200')
        accepted.set(event.phone, {
          places: placesIn(changesIn(request)),
          pulledAtMs: sinceMs.get(event.phone) ?? 0,
        });
      if (request.endpoint !== PUSH || phase !== 'sent') return undefined;
      accepted.delete(event.phone);
      sinceMs.set(event.phone, pulledAtMs.get(event.phone) ?? 0);
      const idle = placesIn(changesIn(request)).find(
        (place) => (phone.touchedAtMs.get(place) ?? -1) < (syncedAtMs.get(`${event.phone} ${place}`) ?? -1),
      );
      return idle && `Push ${request.nth} of phone ${event.phone + 1} holds ${idle}, unchanged since it was synced.`;
    });
  },
};

const asksForWhatIsNew: SyncInvariant = {
  id: 'asks-for-what-is-new',
  promise: 'A pull tells the schema version, and what is new since the one of the last pull that was stored.',
  spec: ['R12'],
  watch: () => {
    const versions = new Map<number, number>();
    return atKind(['effect', 'request'], (event) => {
      if (event.kind === 'effect' && event.label === 'pulled') {
        const { timestamp, schemaVersion } = event.data as unknown as Answer;
        versions.set(timestamp, schemaVersion);
      }
      if (event.kind !== 'request' || event.phase !== 'sent' || event.request.endpoint !== PULL) return undefined;
      const query = new URLSearchParams(event.request.url.split('?')[1]);
      const time = timeIn(event.request);
      const told = sorted(query.get('migration') ?? '');
      const version = Number(query.get('schema_version'));
      const meant = JSON.stringify(migrationFrom(versions.get(time ?? 0) ?? version, version));
      if (told === meant) return undefined;
      return `Pull ${event.request.nth} of phone ${event.phone + 1}, by schema ${version}, told ${told}; new was ${meant}.`;
    });
  },
};

/** What a version of the app's schema has that an older one had not. */
function migrationFrom(from: number, version: number): Migration | null {
  if (from >= version) return null;
  const columns = from < 2 ? [{ table: 'task', columns: ['order'] }] : [];
  return { from, tables: version >= 3 ? ['tag'] : [], columns };
}

/** A migration as told, its fields in the order of the contract; as it is when it cannot be read. */
function sorted(told: string): string {
  try {
    const migration = JSON.parse(told) as Migration | null;
    return JSON.stringify(
      migration && {
        from: migration.from,
        tables: migration.tables,
        columns: migration.columns.map(({ table, columns }) => ({ table, columns })),
      },
    );
  } catch {
    return told;
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: rows

const ownIds: SyncInvariant = {
  id: 'own-ids',
  promise: 'An id is 16 letters and digits, and no two rows have the same.',
  spec: ['R1'],
  watch: ({ facts }) =>
    atKind('settled', () => (facts.oddId === null ? undefined : `create gave the id "${facts.oddId}".`)),
};

const pullIsWhole: SyncInvariant = {
  id: 'pull-is-whole',
  promise: 'After a launch the rows are those of the server at lastPulledAt, and what was done here.',
  spec: ['R3', 'E11'],
  watch: ({ facts }) => atKind('settled', () => facts.torn ?? undefined),
};

const removedStaysAway: SyncInvariant = {
  id: 'removed-stays-away',
  promise: 'What was removed on a phone is never shown there again, nor pushed as a row.',
  spec: ['R7', 'E4'],
  watch: (world) => {
    const atPushes = atPush(() => (request, { removed }) => {
      const back = rowsIn(changesIn(request)).find(([place]) => removed.has(place));
      return back && `Push ${request.nth} of phone ${request.phone + 1} holds ${back[0]}, which was removed there.`;
    })(world);
    return atKind(['settled', 'request'], (event) => world.facts.returned ?? atPushes(event));
  },
};

function deletionUndone({ backend, facts }: SyncWorld): string | undefined {
  for (const [n, { removed }] of facts.phones.entries()) {
    const back = [...removed].find((place) => backend.row(...partsOf(place)) !== null);
    if (back) return `${back} was removed on phone ${n + 1}, but the server still has it.`;
  }
  return undefined;
}

const deletionsHold: SyncInvariant = {
  id: 'deletions-hold',
  promise: 'In the end every deletion made anywhere holds.',
  spec: ['R6', 'R7', 'E4'],
  settled: deletionUndone,
  relaunched: deletionUndone,
};

/** The first stored write that never came to the server, of a row that nobody has deleted. */
function lostWrite({ backend, facts }: SyncWorld): string | undefined {
  for (const [n, { writes, removed }] of facts.phones.entries()) {
    for (const { key, place, value, outcome } of writes.values()) {
      const isGone = removed.has(place) || backend.isDeleted(...partsOf(place));
      if (outcome === 'stored' && !isGone && !facts.arrived.has(`${key}=${value}`))
        return `${key} was set to "${value}" on phone ${n + 1}, but no push ever brought that to the server.`;
    }
  }
  return undefined;
}

const noWriteIsLost: SyncInvariant = {
  id: 'no-write-is-lost',
  promise: 'What was written last to a column of a row reaches the server, unless the row is deleted.',
  spec: ['R2', 'R5', 'R9', 'E2'],
  watch: ({ facts }) =>
    atKind('effect', ({ label, data }) => {
      if (label !== 'pushed') return undefined;
      const { status, changes } = data as unknown as { status: number; changes: Changes };
      if (status !== 200) return undefined;
      for (const [place, row] of rowsIn(changes))
        for (const [column, value] of Object.entries(row)) facts.arrived.add(`${place}/${column}=${value}`);
      return undefined;
    }),
  settled: lostWrite,
  relaunched: lostWrite,
};

/** The first difference between a phone and the server, once all is quiet. */
function difference({ backend, facts, phones }: SyncWorld): string | undefined {
  for (const [n, phone] of facts.phones.entries()) {
    const name = `phone ${n + 1}`;
    if (!phone.shown) return `In the quiet at the end ${name} did not come to show its rows.`;
    for (const table of tablesOn(phone)) {
      const found = tableDifference(backend.rows(table), phone.shown[table] ?? [], columnsOn(phone, table), table);
      if (found) return `In the quiet at the end ${name} ${found}.`;
    }
    const { unsynced, error } = stateOf(phones[n]?.app);
    if (unsynced !== 0 || error !== null)
      return `In the quiet at the end ${name} shows ${unsynced} unsynced and the error ${JSON.stringify(error)}.`;
  }
  return undefined;
}

function tableDifference(
  server: readonly Row[],
  phone: readonly Row[],
  columns: readonly string[],
  table: string,
): string | undefined {
  const here = new Map(phone.map((row) => [row.id, row]));
  const text = (row: Row) => JSON.stringify(columns.map((column) => [column, row[column] ?? null]));
  const extra = phone.find(({ id }) => !server.some((row) => row.id === id));
  if (extra) return `has ${table}/${extra.id}, which the server has not`;
  for (const row of server) {
    const own = here.get(row.id);
    if (!own) return `lacks ${table}/${row.id}, which the server has`;
    if (text(own) !== text(row)) return `has ${table}/${row.id} as ${text(own)}, the server as ${text(row)}`;
  }
  return undefined;
}

const allAgree: SyncInvariant = {
  id: 'all-agree',
  promise: 'After two quiet syncs on each phone all phones and the server hold the same rows.',
  spec: ['R5', 'R6', 'R12', 'E6', 'E9'],
  settled: difference,
  relaunched: difference,
};

// ---------------------------------------------------------------------------------------------------------------------

const newPhone = (firstVersion: number): PhoneFacts => ({
  launches: 0,
  version: firstVersion,
  firstVersion,
  syncs: 0,
  requests: 0,
  writes: new Map(),
  touchedAtMs: new Map(),
  removing: new Set(),
  removed: new Set(),
  shown: null,
});

const SEED: [string, string, Fields][] = [
  ['task', 'seed0000000000aa', { title: 'water the plants', done: false, order: 10 }],
  ['task', 'seed0000000000bb', { title: 'call mum', done: true, order: 20 }],
  ['tag', 'seed0000000000cc', { label: 'home' }],
];

/** The account had rows before either phone came to it. */
function seededBackend(...[context]: Parameters<typeof createBackend>): SyncBackend {
  const backend = createBackend(context);
  for (const [table, id, fields] of SEED) backend.write(table, id, fields);
  return backend;
}

export const scenario = defineScenario<DeltaSyncModule, SyncDatabase, SyncBackend, Facts>({
  kata: 'delta-sync',
  apiUrl: 'https://api.tasks.test',
  phones: 2,
  slots: 12,
  gapsMs: [0, 3, 40, 180, 1_500, 30_000],
  endpoints: [PULL, PUSH],
  backend: seededBackend,
  facts: () => ({
    phones: [],
    places: SEED.map(([table, id]) => placeOf(table, id)),
    serial: 0,
    author: new Map(),
    arrived: new Set(),
    torn: null,
    returned: null,
    oddId: null,
    visitors: [],
    meetings: 0,
  }),
  furnish(_disk, facts, _phone, pick) {
    facts.phones.push(newPhone(1 + pick('first version', NEWEST)));
  },
  open({ module, device, apiUrl, backend, facts, follow, phone, stateChanged }: Opening) {
    const own = factsOf({ facts, phone });
    own.launches += 1;
    own.syncs = 0;
    own.requests = 0;
    // The store updates the app while it is not running.
    own.version = Math.min(NEWEST, own.firstVersion + own.launches - 1);
    const app = module.createSync({ device, apiUrl, schema: schemaOn(own) });
    app.subscribe(stateChanged);
    const stage: SyncStage = { app, backend, facts, follow, phone: phone as PhoneView<SyncDatabase> };
    begin(stage, START_TRIES);
    // A fault that had struck before all was well may kill an app afterwards.
    const isCutOff = facts.visitors.length > 0 && facts.phones.some(({ shown }) => shown === null);
    if (isCutOff) {
      facts.visitors[phone.index] = stage;
      comeTogether(facts);
    }
    return app;
  },
  healed(stage) {
    const { facts, phone } = stage;
    factsOf(stage).shown = null;
    facts.visitors[phone.index] = stage;
    if (phone.index > 0) comeTogether(facts);
  },
  close: (app) => app.dispose(),
  view: (app) => {
    const { status, unsynced, error } = app.getState();
    return { status, unsynced, error: error?.code ?? null };
  },
  actions,
  conditions: {
    offline: { weight: 2, forMs: [3_000, 60_000, 3_600_000] },
    background: { forMs: [10_000] },
    kill: { weight: 2, forMs: [200, 60_000] },
    clock: { byMs: [-3_600_000, 3_600_000] },
    outage: { forMs: [8_000, 120_000] },
    lowDisk: { forMs: [5_000, 60_000] },
  },
  faults: {
    [PULL]: [
      'request-lost',
      'response-lost',
      'hang',
      'delay',
      'truncate',
      'portal',
      'answer-401',
      'answer-409',
      'answer-429-seconds',
      'answer-500',
      'kill-before',
      'kill-after',
    ],
    [PUSH]: [
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
      'answer-503',
      'applied-then-500',
      'kill-before',
      'kill-after',
    ],
    'storage.write': ['full', 'failed', 'slow', 'kill-before', 'kill-after', 'torn'],
    'storage.read': ['failed', 'slow', 'kill-before'],
  },
  invariants: [
    oneRequestAtATime,
    timeIsTheServers,
    pushFollowsItsPull,
    threeRoundsASync,
    onlyRowsAreSent,
    onlyChangesAreSent,
    asksForWhatIsNew,
    ownIds,
    pullIsWhole,
    removedStaysAway,
    deletionsHold,
    noWriteIsLost,
    allAgree,
  ],
  budgets: [
    {
      id: 'requests',
      promise: 'Two requests a sync, one without local changes.',
      spec: ['R16'],
      measure: ({ costs }) => costs.requests,
      allowance: 1.2,
    },
    {
      id: 'bytes-sent',
      promise: 'Only changed rows travel.',
      spec: ['R16'],
      measure: ({ costs }) => costs.bytesSent,
      allowance: 1.25,
    },
    {
      id: 'commits',
      promise: 'One transaction for a local write, two for a sync.',
      spec: ['R16'],
      measure: ({ costs }) => costs.databaseCommits,
      allowance: 1.3,
    },
    {
      id: 'rows-written',
      promise: 'A row is written once for each change that is pulled.',
      spec: ['R16'],
      measure: ({ phones }) => phones.reduce((sum, { disk }) => sum + rowsWritten(disk), 0),
      allowance: 2,
    },
  ],
  patienceMs: 120_000,
});

const rowsWritten = ({ databases }: SyncWorld['phones'][number]['disk']): number =>
  databases.all().reduce((sum, store) => sum + Number(store.query('SELECT total_changes() AS n')[0]?.n), 0);
