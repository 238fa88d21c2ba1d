// The simulation: an owner with a vault behind a face, background work with one of its own, and everything that befalls them.
import fc from 'fast-check';
import type { SecureStorageModule, Vault, VaultErrorCode } from '#contract/secure-storage';
import {
  defineAction,
  defineScenario,
  type Invariant,
  type OpenContext,
  type PhoneView,
  type Stage,
  type TraceEvent,
  type WorldView,
} from '#simulator';
import { createBackend, type NoBackend } from './backend.ts';

/** The second begins with the letters of the first. */
const GATES = { health: 'owner', 'health-sync': 'none' } as const;
type Namespace = keyof typeof GATES;
const NAMESPACES = Object.keys(GATES) as Namespace[];
const NAMES = ['finding', 'letter', 'scan/knee 🦵', '__proto__', '-sync'];
type Vaults = Readonly<Record<Namespace, Vault>>;

/** What a name may hold. The last write that ended counts, and so may all that were begun after it. */
interface Write {
  /** In the order of the calls. */
  readonly order: number;
  /** Null: nothing is there. */
  readonly value: string | null;
}

/** One vault as its owner knows it. */
interface Book {
  readonly namespace: Namespace;
  readonly writes: Map<string, Write[]>;
  /** Every value a name ever may have held. */
  readonly past: Map<string, Set<string>>;
  /** Why nobody can read now; null when the last `unlock` has succeeded. */
  lockedBy: 'launch' | 'lock' | 'absence' | 'wipe' | null;
  /** How often it was locked. */
  locks: number;
  /** `unlock` calls without an end. */
  unlocking: number;
  /** `rotate` calls without an end, and how many there were. */
  rotating: number;
  rotations: number;
  wipes: number;
  /** A wipe that is under way: the key item and the names before it. */
  wiping: { readonly item: string | undefined; readonly names: readonly string[] } | null;
  /** One that the end of the last launch has cut off. */
  cut: Book['wiping'];
  /** Keys in its key item, in hex. */
  keys: string[];
  /** Faces were enrolled anew, or the keychain lost its content, and no key item was written since. */
  isKeyLost: boolean;
  /** When that happened somebody held the key in memory. */
  wasOpenAtLoss: boolean;
  /** Whether the owner has come and found everything, and which names were corrupt then. */
  isVisited: boolean;
  readonly corrupt: Set<string>;
  /** How the last `unlock` of all ended. */
  lastUnlock: VaultErrorCode | 'ok' | 'open';
}

interface Facts {
  readonly books: Record<Namespace, Book>;
  /** First break of each rule that only its caller can see. */
  readonly problems: Map<string, string>;
  orders: number;
  /** Prompts that may still appear. */
  promptsAllowed: number;
  /** Stored values that somebody has changed. */
  forged: number;
  /** Storage or keychain has failed at least once. */
  hasFailed: boolean;
  /** By the phone's clock; null in the foreground. */
  leftAtMs: number | null;
}

type VaultStage = Stage<Vaults, NoBackend, Facts>;
type VaultWorld = WorldView<Vaults, NoBackend, Facts>;
type VaultInvariant = Invariant<Vaults, NoBackend, Facts>;
type Opening = OpenContext<SecureStorageModule, NoBackend, Facts>;

const START_TRIES = 4;
const LOCK_AFTER_MS = 300_000;
/** In every value but the empty one: what is searched for. */
const MARK = 'Diagnosis';

const newBook = (namespace: Namespace): Book => ({
  namespace,
  writes: new Map(),
  past: new Map(),
  lockedBy: 'launch',
  locks: 0,
  unlocking: 0,
  rotating: 0,
  rotations: 0,
  wipes: 0,
  wiping: null,
  cut: null,
  keys: [],
  isKeyLost: false,
  wasOpenAtLoss: false,
  isVisited: false,
  corrupt: new Set(),
  lastUnlock: 'open',
});

const itemOf = ({ disk }: PhoneView<unknown>, { namespace }: Book) => disk.secureStore.get(`vault.${namespace}`);
const codeOf = (error: unknown): VaultErrorCode => (error as { code?: VaultErrorCode })?.code ?? 'storage-failed';
const quoted = (value: string | null): string => (value === null ? 'nothing' : `"${value.slice(0, 24)}"`);

function report({ problems }: Facts, id: string, text: string): void {
  if (!problems.has(id)) problems.set(id, text);
}

// ---------------------------------------------------------------------------------------------------------------------
// The books: which values a name may hold

const NOTHING_YET: readonly Write[] = [{ order: 0, value: null }];
const possible = ({ writes }: Book, name: string): readonly Write[] => writes.get(name) ?? NOTHING_YET;
const mayHold = (book: Book, name: string, value: string | null): boolean =>
  possible(book, name).some((write) => write.value === value);
const isSurelyGone = (book: Book, name: string): boolean => possible(book, name).every(({ value }) => value === null);
/** Names that surely hold something. */
const sureNames = (book: Book): string[] => [...book.writes.keys()].filter((name) => !mayHold(book, name, null));

function beginWrite(facts: Facts, book: Book, name: string, value: string | null): number {
  facts.orders += 1;
  book.writes.set(name, [...possible(book, name), { order: facts.orders, value }]);
  if (value !== null) book.past.set(name, (book.past.get(name) ?? new Set()).add(value));
  return facts.orders;
}

/** What was begun before it does not count any more. A wipe knows nothing of names that came after it. */
function endWrite(book: Book, name: string, order: number): void {
  const writes = possible(book, name);
  if (!writes.some((write) => write.order === order)) return;
  book.writes.set(
    name,
    writes.filter((write) => write.order >= order),
  );
}

function undoWrite(book: Book, name: string, order: number): void {
  book.writes.set(
    name,
    possible(book, name).filter((write) => write.order !== order),
  );
}

function beginWipe(facts: Facts, book: Book): number {
  facts.orders += 1;
  for (const name of book.writes.keys())
    book.writes.set(name, [...possible(book, name), { order: facts.orders, value: null }]);
  return facts.orders;
}

function lockBook(book: Book, cause: NonNullable<Book['lockedBy']>): void {
  book.locks += 1;
  book.lockedBy = cause;
}

// ---------------------------------------------------------------------------------------------------------------------
// What people and background work do

function unlock({ app, facts, follow }: VaultStage, namespace: Namespace, then = () => {}, otherwise = () => {}): void {
  const book = facts.books[namespace];
  const { locks, lockedBy } = book;
  if (lockedBy !== null && book.unlocking === 0 && app[namespace].getState().status === 'unlocked') {
    const id = lockedBy === 'absence' ? 'locks-after-absence' : 'locked-answers-nothing';
    report(facts, id, `${namespace} should be locked (${lockedBy}), but says that it is unlocked.`);
  }
  if (GATES[namespace] === 'owner' && book.unlocking === 0) facts.promptsAllowed = book.lockedBy === null ? 0 : 1;
  book.unlocking += 1;
  follow(`unlock ${namespace}`, () => app[namespace].unlock(), {
    done: () => {
      book.unlocking -= 1;
      book.lastUnlock = 'ok';
      if (book.locks === locks) book.lockedBy = null;
      else report(facts, 'locked-answers-nothing', `${namespace} was unlocked by a call from before it was locked.`);
      then();
    },
    failed: (error) => {
      book.unlocking -= 1;
      book.lastUnlock = codeOf(error);
      otherwise();
    },
  });
}

/** As a screen would: unlock first if need be. */
function whenOpen(stage: VaultStage, namespace: Namespace, then: () => void): void {
  if (stage.app[namespace].getState().status === 'unlocked') then();
  else unlock(stage, namespace, then);
}

/** A call that nobody may answer while the vault is locked, and somebody must while it is open. */
function sealedCall<T>(
  { app, facts, follow }: VaultStage,
  namespace: Namespace,
  label: string,
  call: (vault: Vault) => Promise<T>,
  on: { done(value: T): void; failed(code: VaultErrorCode, wasLocked: boolean): void },
): void {
  const book = facts.books[namespace];
  const { lockedBy, locks } = book;
  follow(`${label} in ${namespace}`, () => call(app[namespace]), {
    done: (value) => {
      if (lockedBy !== null) {
        const id = lockedBy === 'absence' ? 'locks-after-absence' : 'locked-answers-nothing';
        report(facts, id, `${label} succeeded in ${namespace}, which was locked (${lockedBy}).`);
      }
      on.done(value);
    },
    failed: (error) => {
      const code = codeOf(error);
      if (code === 'locked' && lockedBy === null && book.locks === locks)
        report(facts, 'open-stays-open', `${label} was rejected as locked in ${namespace}, which nothing had locked.`);
      on.failed(code, lockedBy !== null);
    },
  });
}

function put(stage: VaultStage, namespace: Namespace, name: string, size: number): void {
  const { facts } = stage;
  const book = facts.books[namespace];
  const value = size === 0 ? '' : `${MARK} ${facts.orders + 1}: ${'x'.repeat(size)}`;
  const order = beginWrite(facts, book, name, value);
  sealedCall(stage, namespace, `put ${name}`, (vault) => vault.put(name, value), {
    done: () => endWrite(book, name, order),
    failed: (code, wasLocked) => {
      if (code === 'storage-full' || wasLocked) undoWrite(book, name, order);
    },
  });
}

function get(stage: VaultStage, namespace: Namespace, name: string): void {
  const { facts } = stage;
  const book = facts.books[namespace];
  const before = possible(book, name);
  sealedCall(stage, namespace, `get ${name}`, (vault) => vault.get(name), {
    done: (value) => judge(facts, book, name, value, before),
    failed: (code) => {
      if (code === 'corrupt') judgeCorrupt(facts, book, name);
    },
  });
}

function wipe({ app, facts, follow, phone }: VaultStage, namespace: Namespace, then = () => {}): void {
  const book = facts.books[namespace];
  const item = itemOf(phone, book);
  book.wiping ??= { item, names: sureNames(book) };
  book.wipes += 1;
  const order = beginWipe(facts, book);
  lockBook(book, 'wipe');
  const { unlocking } = book;
  follow(`wipe ${namespace}`, () => app[namespace].wipe(), {
    done: () => {
      for (const name of book.writes.keys()) endWrite(book, name, order);
      book.wiping = null;
      book.isKeyLost = false;
      if (itemOf(phone, book) !== undefined && unlocking === 0 && book.unlocking === 0)
        report(facts, 'wipe-leaves-nothing', `The key item of ${namespace} is still there after a wipe.`);
      then();
    },
    failed: () => {
      // Any later call may have finished it, and what came after that is not the wipe's.
      book.wiping = null;
      then();
    },
  });
}

function remove({ app, facts, follow }: VaultStage, namespace: Namespace, name: string): void {
  const book = facts.books[namespace];
  const order = beginWrite(facts, book, name, null);
  follow(`remove ${name} in ${namespace}`, () => app[namespace].remove(name), {
    done: () => endWrite(book, name, order),
    failed: (error) => {
      if (codeOf(error) === 'storage-full') undoWrite(book, name, order);
    },
  });
}

function rotate(stage: VaultStage, namespace: Namespace): void {
  const book = stage.facts.books[namespace];
  const end = () => {
    book.rotating -= 1;
  };
  book.rotating += 1;
  book.rotations += 1;
  sealedCall(stage, namespace, 'rotate', (vault) => vault.rotate(), { done: end, failed: end });
}

const nameArg = fc.constantFrom(...NAMES);
const namespaceArg = fc.constantFrom<Namespace>('health', 'health', 'health-sync');
const sizeArg = fc.constantFrom(0, 12, 12, 60, 3_000);
type Where = { namespace: Namespace };
const where = fc.record({ namespace: namespaceArg });
const whose = (namespace: Namespace): string => (namespace === 'health' ? 'the vault' : 'the vault of the sync');

const actions = {
  open: defineAction<Vaults, NoBackend, Facts, Where & { times: number }>({
    weight: 3,
    args: fc.record({ namespace: namespaceArg, times: fc.constantFrom(1, 1, 2) }),
    says: ({ namespace, times }) => `unlocks ${whose(namespace)}${times > 1 ? ' from two screens at once' : ''}`,
    run: (stage, { namespace, times }) => {
      for (let n = 0; n < times; n += 1) unlock(stage, namespace);
    },
  }),
  save: defineAction<Vaults, NoBackend, Facts, Where & { name: string; size: number }>({
    weight: 7,
    args: fc.record({ namespace: namespaceArg, name: nameArg, size: sizeArg }),
    says: ({ namespace, name, size }) => `puts "${name}" (${size} characters) into ${whose(namespace)}`,
    run: (stage, { namespace, name, size }) => whenOpen(stage, namespace, () => put(stage, namespace, name, size)),
  }),
  saveTwice: defineAction<Vaults, NoBackend, Facts, Where & { name: string }>({
    args: fc.record({ namespace: namespaceArg, name: nameArg }),
    says: ({ namespace, name }) => `puts "${name}" twice at once into ${whose(namespace)}`,
    run: (stage, { namespace, name }) =>
      whenOpen(stage, namespace, () => {
        put(stage, namespace, name, 60);
        put(stage, namespace, name, 12);
      }),
  }),
  saveBlindly: defineAction<Vaults, NoBackend, Facts, Where & { name: string }>({
    args: fc.record({ namespace: namespaceArg, name: nameArg }),
    says: ({ namespace, name }) => `puts "${name}" into ${whose(namespace)}, locked or not`,
    run: (stage, { namespace, name }) => put(stage, namespace, name, 12),
  }),
  read: defineAction<Vaults, NoBackend, Facts, Where & { name: string }>({
    weight: 2,
    args: fc.record({ namespace: namespaceArg, name: nameArg }),
    says: ({ namespace, name }) => `reads "${name}" from ${whose(namespace)}, locked or not`,
    run: (stage, { namespace, name }) => get(stage, namespace, name),
  }),
  remove: defineAction<Vaults, NoBackend, Facts, Where & { name: string }>({
    args: fc.record({ namespace: namespaceArg, name: nameArg }),
    says: ({ namespace, name }) => `removes "${name}" from ${whose(namespace)}`,
    run: (stage, { namespace, name }) => remove(stage, namespace, name),
  }),
  lock: defineAction<Vaults, NoBackend, Facts, Where>({
    args: where,
    says: ({ namespace }) => `locks ${whose(namespace)}`,
    run: ({ app, facts }, { namespace }) => {
      lockBook(facts.books[namespace], 'lock');
      app[namespace].lock();
    },
  }),
  rotate: defineAction<Vaults, NoBackend, Facts, Where>({
    weight: 3,
    args: where,
    says: ({ namespace }) => `changes the key of ${whose(namespace)}`,
    run: (stage, { namespace }) => whenOpen(stage, namespace, () => rotate(stage, namespace)),
  }),
  rotateWhileSaving: defineAction<Vaults, NoBackend, Facts, Where & { name: string }>({
    weight: 2,
    args: fc.record({ namespace: namespaceArg, name: nameArg }),
    says: ({ namespace, name }) =>
      `changes the key of ${whose(namespace)}, meanwhile puts "${name}", and removes another`,
    run: (stage, { namespace, name }) =>
      whenOpen(stage, namespace, () => {
        const other = NAMES.find((one) => one !== name) ?? name;
        rotate(stage, namespace);
        stage.follow('names', () => stage.app[namespace].names(), {
          done: () => {
            put(stage, namespace, name, 60);
            remove(stage, namespace, other);
          },
        });
      }),
  }),
  wipe: defineAction<Vaults, NoBackend, Facts, Where & { isBusy: boolean }>({
    weight: 2,
    args: fc.record({ namespace: namespaceArg, isBusy: fc.boolean() }),
    says: ({ namespace, isBusy }) => `wipes ${whose(namespace)}${isBusy ? ' while a text is being put' : ''}`,
    run: (stage, { namespace, isBusy }) => {
      if (isBusy) put(stage, namespace, 'letter', 60);
      wipe(stage, namespace);
    },
  }),
  forge: defineAction<Vaults, NoBackend, Facts, { one: number; other: number; kind: 'change' | 'swap' }>({
    weight: 3,
    opensApp: false,
    args: fc.record({
      one: fc.nat({ max: 5 }),
      other: fc.nat({ max: 5 }),
      kind: fc.constantFrom('change', 'swap'),
    }),
    says: ({ kind }) =>
      kind === 'swap'
        ? 'Somebody exchanges two records on the disk, if the app is not running.'
        : 'Somebody changes a record on the disk, if the app is not running.',
    run: ({ phone, facts }, { one, other, kind }) => {
      if (phone.app === null) forge(phone, facts, one, kind === 'swap' ? other : null);
    },
  }),
};

/** Changes one stored value, or exchanges two. Markers and lists of names are left alone: R6 speaks of records. */
function forge({ disk }: PhoneView<unknown>, facts: Facts, one: number, other: number | null): void {
  const isRecord = (value: string) =>
    value.length >= 36 && !value.includes('\uFFFD') && NAMES.filter((name) => value.includes(name)).length < 2;
  const records = disk.entries().filter(({ module, value }) => module !== 'secureStore' && isRecord(value));
  const first = records[one % Math.max(1, records.length)];
  const second = other === null ? null : records[other % Math.max(1, records.length)];
  if (!first || first === second) return;
  facts.forged += second ? 2 : 1;
  const middle = Math.floor(first.value.length * 0.6);
  const letter = first.value[middle] === 'b' ? 'a' : 'b';
  const changed = `${first.value.slice(0, middle)}${letter}${first.value.slice(middle + 1)}`;
  disk[first.module].set(first.key, second ? second.value : changed);
  if (second) disk[second.module].set(second.key, first.value);
}

// ---------------------------------------------------------------------------------------------------------------------
// Launches, and the day when all works again

/** As a shell would: a start that fails is tried again, then both vaults are unlocked. */
function begin(stage: VaultStage, namespace: Namespace, triesLeft: number): void {
  const { app, facts, follow } = stage;
  follow(`start ${namespace}`, () => app[namespace].start(), {
    done: () => {
      checkCutWipe(stage, namespace);
      unlock(stage, namespace);
    },
    failed: () => {
      facts.hasFailed = true;
      if (triesLeft > 1) begin(stage, namespace, triesLeft - 1);
    },
  });
}

/** A wipe that was cut off has either not begun, or is finished now. */
function checkCutWipe({ app, facts, follow, phone }: VaultStage, namespace: Namespace): void {
  const book = facts.books[namespace];
  const { cut } = book;
  book.cut = null;
  // Another wipe that is under way already says nothing of the first one.
  if (!cut || facts.hasFailed || book.wiping) return;
  const isKeyThere = itemOf(phone, book) !== undefined;
  const { orders } = facts;
  follow(`names of ${namespace}`, () => app[namespace].names(), {
    done: (names) => {
      if (facts.orders !== orders) return;
      const missing = cut.names.find((name) => !names.includes(name));
      const isWhole = missing === undefined && (isKeyThere || cut.item === undefined);
      if (isWhole || (names.length === 0 && !isKeyThere)) return;
      const key = isKeyThere ? 'a key' : 'no key';
      report(
        facts,
        'wipe-ends',
        `A wipe of ${namespace} was cut off. After the next start there are ${key} and the records ${names.join(', ') || '(none)'}.`,
      );
    },
  });
}

/** The owner unlocks once and reads everything. A vault whose key is lost is wiped, and used anew. */
function comeBack(stage: VaultStage, namespace: Namespace): void {
  const { app, facts, follow } = stage;
  const book = facts.books[namespace];
  book.isVisited = false;
  book.corrupt.clear();
  const look = () => {
    checkNames(stage, namespace);
    for (const name of book.writes.keys()) lookAt(stage, namespace, name);
  };
  follow(`start ${namespace}`, () => app[namespace].start(), {
    done: () =>
      unlock(stage, namespace, look, () => {
        if (book.lastUnlock === 'key-lost') beginAnew(stage, namespace);
        // It joined one from before, which a lock or a cancelled prompt has ended.
        else unlock(stage, namespace, look);
      }),
  });
}

function checkNames({ app, facts, follow }: VaultStage, namespace: Namespace): void {
  const book = facts.books[namespace];
  const before = sureNames(book);
  const gone = [...book.writes.keys()].filter((name) => isSurelyGone(book, name));
  follow(`names of ${namespace}`, () => app[namespace].names(), {
    done: (names) => {
      book.isVisited = true;
      const sure = sureNames(book);
      const missing = before.find((name) => sure.includes(name) && !names.includes(name));
      if (missing !== undefined)
        report(facts, lossOf(facts, book), `"${missing}" is not among the names of ${namespace}.`);
      const extra = gone.find((name) => isSurelyGone(book, name) && names.includes(name));
      if (extra === undefined) return;
      report(facts, book.wipes > 0 ? 'wipe-leaves-nothing' : 'newest-stays', `"${extra}" of ${namespace} is back.`);
    },
  });
}

function lookAt({ app, facts, follow }: VaultStage, namespace: Namespace, name: string): void {
  const book = facts.books[namespace];
  const before = possible(book, name);
  follow(`get ${name} in ${namespace}`, () => app[namespace].get(name), {
    done: (value) => judge(facts, book, name, value, before),
    failed: (error) => {
      const code = codeOf(error);
      if (code === 'corrupt') judgeCorrupt(facts, book, name);
    },
  });
}

function beginAnew(stage: VaultStage, namespace: Namespace): void {
  const { app, facts, follow } = stage;
  const book = facts.books[namespace];
  // A storage that failed may have kept the beginning of a wipe from being stored (E10).
  const isCutWipe = book.wipes > 0 && facts.hasFailed;
  if (!book.isKeyLost && !isCutWipe) {
    report(facts, lossOf(facts, book), `${namespace} says that its key is lost, and nothing has happened to it.`);
    return;
  }
  follow(`names of ${namespace}`, () => app[namespace].names(), {
    done: (names) => {
      const missing = sureNames(book).find((name) => !names.includes(name));
      if (missing !== undefined)
        report(facts, 'nothing-new-for-a-lost-key', `The key of ${namespace} was lost, and "${missing}" went with it.`);
      wipe(stage, namespace, () => comeBack(stage, namespace));
    },
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Which promise a value breaks that should not be there, or is not

/** What has made a value unreadable, as far as one can tell. */
function lossOf(facts: Facts, book: Book): string {
  const isOtherWiped = NAMESPACES.some((other) => other !== book.namespace && facts.books[other].wipes > 0);
  if (book.rotations > 0) return facts.hasFailed ? 'old-key-kept-in-doubt' : 'readable-after-rotation';
  return isOtherWiped && book.wipes === 0 ? 'wiped-alone' : 'acknowledged-is-readable';
}

function judgeCorrupt(facts: Facts, book: Book, name: string): void {
  book.corrupt.add(name);
  if (facts.forged === 0)
    report(facts, lossOf(facts, book), `"${name}" of ${book.namespace} is called corrupt, and nobody has touched it.`);
  else if (book.corrupt.size > facts.forged)
    report(facts, 'forged-harms-no-other', `More records of ${book.namespace} are corrupt than were ever changed.`);
}

/** A value that the name may hold now, or might when it was asked for, is right. */
function judge(facts: Facts, book: Book, name: string, value: string | null, before: readonly Write[]): void {
  if (mayHold(book, name, value) || before.some((write) => write.value === value)) return;
  const held = possible(book, name).map((write) => quoted(write.value));
  const text = `"${name}" of ${book.namespace} should hold ${held.join(' or ')}, but gives ${quoted(value)}.`;
  const isPast = value !== null && (book.past.get(name)?.has(value) ?? false);
  if (value !== null && !isPast) report(facts, 'forged-never-opens', text);
  else if (isPast && book.wipes > 0 && book.rotations === 0) report(facts, 'wipe-leaves-nothing', text);
  else if (isPast && book.rotations > 0) report(facts, 'newest-stays', text);
  else report(facts, lossOf(facts, book), text);
}

// ---------------------------------------------------------------------------------------------------------------------
// What can be seen at each event

/** The phone's only one. */
const phoneOf = ({ phones }: VaultWorld): PhoneView<Vaults> => phones[0] as PhoneView<Vaults>;

const isKeychainWrite = (event: TraceEvent): boolean =>
  event.kind === 'storage' && event.phase === 'applied' && event.call.startsWith('secureStore.');

/** The keys in a key item, in hex. */
function keysIn(item: string | undefined): string[] {
  return (item?.match(/[\w+/-]{43,64}/g) ?? []).flatMap((text) => {
    if (/^[0-9a-f]{64}$/i.test(text)) return [text.toLowerCase()];
    return text.length === 43 ? [Buffer.from(text, 'base64').toString('hex')] : [];
  });
}

/** Keeps the facts that only the trace tells. Belongs to the first invariant, so that all others find them up to date. */
function keepBooks(world: VaultWorld): (event: TraceEvent) => void {
  const { facts } = world;
  const phone = phoneOf(world);
  const books = Object.values(facts.books);
  const loseKeys = (isByEnrolment: boolean) => {
    for (const book of books) {
      if (book.keys.length === 0 || (isByEnrolment && GATES[book.namespace] === 'none')) continue;
      book.isKeyLost = true;
      book.wasOpenAtLoss = book.lockedBy === null || book.rotating > 0 || book.keys.length > 1;
    }
  };
  const comeHome = () => {
    const awayMs = facts.leftAtMs === null ? 0 : phone.nowMs - facts.leftAtMs;
    facts.leftAtMs = null;
    if (awayMs < 0 || awayMs >= LOCK_AFTER_MS) lockBook(facts.books.health, 'absence');
  };
  const forget = () => {
    for (const book of books) {
      book.writes.clear();
      book.past.clear();
      book.wiping = null;
      book.isKeyLost = false;
    }
    facts.forged = 0;
  };
  return (event) => {
    if (event.kind === 'storage' && event.phase === 'failed') facts.hasFailed = true;
    if (event.kind !== 'condition') return;
    if (event.condition === 'background') facts.leftAtMs = phone.nowMs;
    if (event.condition === 'foreground') comeHome();
    if (event.condition === 'enrolled' || event.condition === 'keychain-lost') loseKeys(event.condition === 'enrolled');
    if (event.condition === 'reinstalled') forget();
  };
}

/** In the last launch nothing goes wrong any more: whoever cannot read now never will. */
function noteUnvisited({ facts }: VaultWorld): void {
  for (const book of Object.values(facts.books)) {
    if (book.isVisited) continue;
    const { namespace, lastUnlock } = book;
    report(facts, lossOf(facts, book), `All works again, but ${namespace} cannot be unlocked and read: ${lastUnlock}.`);
  }
}

/** A rule whose breaks the actions and the owner's last visit report. */
function reported(id: string, promise: string, spec: readonly string[]): VaultInvariant {
  const told = ({ facts }: VaultWorld) => facts.problems.get(id);
  const relaunched = (world: VaultWorld) => {
    noteUnvisited(world);
    return told(world);
  };
  return { id, promise, spec, watch: (world) => () => told(world), settled: told, relaunched };
}

const locksAfterAbsence: VaultInvariant = {
  ...reported('locks-after-absence', 'After 5 minutes in the background, or a clock set back there, nothing is read.', [
    'R5',
    'E15',
  ]),
  watch: (world) => {
    const keep = keepBooks(world);
    return (event) => {
      keep(event);
      return world.facts.problems.get('locks-after-absence');
    };
  },
};

/** What is stored where this write went: one value, or all of them if that cannot be told. */
function written({ disk }: PhoneView<unknown>, event: TraceEvent & { kind: 'storage' }): string[] {
  if (event.call === 'asyncStorage.setItem') return [disk.asyncStorage.get(event.detail) ?? ''];
  if (event.call === 'mmkv.set') return [String(disk.mmkv.get(event.detail) ?? '')];
  const isKeychain = event.call.startsWith('secureStore.');
  const entries = disk.entries().filter(({ module }) => (module === 'secureStore') === isKeychain);
  return entries.map(({ key, value }) => `${key} ${value}`);
}

/** Ways in which bytes may stand in a stored text. */
function encodingsOf(bytes: Buffer): string[] {
  const shifted = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(4, -4),
  );
  const urls = shifted.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [bytes.toString('hex'), ...new Set([...shifted, ...urls])];
}

const MARKS = [MARK, ...encodingsOf(Buffer.from(`${MARK} `))];

const noPlainText: VaultInvariant = {
  id: 'no-plain-text',
  promise: 'No value can be read from storage, keychain or log.',
  spec: ['R1'],
  watch: (world) => (event) => {
    if (event.kind === 'log' && event.text.includes(MARK)) return `A value was logged: "${event.text.slice(0, 60)}".`;
    if (event.kind !== 'storage' || (event.phase !== 'applied' && event.phase !== 'torn')) return undefined;
    const open = written(phoneOf(world), event).find((text) => MARKS.some((mark) => text.includes(mark)));
    return open && `${event.call} has stored a value in the open: "${open.slice(0, 60)}".`;
  },
};

const keysStayInTheKeychain: VaultInvariant = {
  id: 'keys-stay-in-the-keychain',
  promise: 'No key is stored outside the keychain.',
  spec: ['R1', 'R3'],
  watch: (world) => {
    const phone = phoneOf(world);
    const known = new Map<string, string[]>();
    let seen = 0;
    return (event) => {
      for (; seen < phone.cipherCalls.length; seen += 1) {
        const key = phone.cipherCalls[seen]?.key ?? '';
        if (!known.has(key)) known.set(key, encodingsOf(Buffer.from(key, 'hex')));
      }
      if (event.kind !== 'storage' || event.phase !== 'applied' || isKeychainWrite(event)) return undefined;
      const texts = written(phone, event);
      for (const [key, encodings] of known) {
        if (texts.some((text) => encodings.some((encoding) => text.includes(encoding))))
          return `The key ${key.slice(0, 8)}… is stored by ${event.call} outside the keychain.`;
      }
      return undefined;
    };
  },
};

/** Looks at each use of a cipher once, at the first event after it. */
function atCipher(
  look: (world: VaultWorld) => {
    call(call: PhoneView<Vaults>['cipherCalls'][number]): string | undefined;
    event?(event: TraceEvent): void;
  },
): NonNullable<VaultInvariant['watch']> {
  return (world) => {
    const phone = phoneOf(world);
    const looker = look(world);
    let seen = 0;
    return (event) => {
      let text: string | undefined;
      for (; seen < phone.cipherCalls.length; seen += 1) {
        const call = phone.cipherCalls[seen];
        if (call) text ??= looker.call(call);
      }
      looker.event?.(event);
      return text;
    };
  };
}

const sealedWithGcm: VaultInvariant = {
  id: 'sealed-with-gcm',
  promise: 'Every value is encrypted with AES-256-GCM, a key of 32 and a nonce of 12 bytes.',
  spec: ['R2'],
  watch: atCipher(() => ({
    call: ({ algorithm, key, nonce }) =>
      algorithm === 'aes-256-gcm' && key.length === 64 && nonce?.length === 24
        ? undefined
        : `A value was encrypted with ${algorithm}, a key of ${key.length / 2} and a nonce of ${(nonce?.length ?? 0) / 2} bytes.`,
  })),
};

const nonceOnce: VaultInvariant = {
  id: 'nonce-once',
  promise: 'No nonce is used twice with one key.',
  spec: ['R2', 'E17'],
  watch: atCipher(() => {
    const used = new Set<string>();
    return {
      call: ({ does, key, nonce }) => {
        if (does === 'decrypt') return undefined;
        const one = `${key} ${nonce}`;
        if (used.has(one)) return `The nonce ${nonce} was used twice with the key ${key.slice(0, 8)}….`;
        used.add(one);
        return undefined;
      },
    };
  }),
};

const keyItemGuarded: VaultInvariant = {
  id: 'key-item-guarded',
  promise: 'The key items, and no others, are in the keychain, under the rules of their gates.',
  spec: ['R3', 'R4'],
  watch: (world) => (event) => {
    if (!isKeychainWrite(event)) return undefined;
    const { disk } = phoneOf(world);
    for (const key of disk.secureStore.keys()) {
      const namespace = NAMESPACES.find((one) => key === `vault.${one}`);
      if (!namespace) return `The keychain holds an item "${key}", which is no key item.`;
      const { requireAuthentication, keychainAccessible } = disk.secureStore.rulesOf(key);
      const isOwner = GATES[namespace] === 'owner';
      if (requireAuthentication === isOwner && (isOwner ? [3, 6] : [1]).includes(keychainAccessible)) continue;
      return `${key} was written with requireAuthentication ${requireAuthentication} and keychainAccessible ${keychainAccessible}.`;
    }
    return undefined;
  },
};

const onePrompt: VaultInvariant = {
  id: 'one-prompt',
  promise: 'The owner is asked once for each unlock, and for nothing else.',
  spec: ['R4'],
  watch: ({ costs, facts }) => {
    let seen = 0;
    let failed = 0;
    return (event) => {
      if (event.kind === 'launch') facts.promptsAllowed = 0;
      if (event.kind === 'fault' && event.target === 'localAuthentication' && event.fault !== 'kill-before') {
        // A kill after the answer is counted as a prompt already.
        if (event.fault !== 'kill-after') failed += 1;
      }
      const prompts = costs.prompts + failed - seen;
      seen += prompts;
      facts.promptsAllowed -= prompts;
      return facts.promptsAllowed < 0 ? `The owner was asked once more than the vault was unlocked.` : undefined;
    };
  },
};

/** Keys that must not be used any more, and why. */
const nothingWithDestroyedKeys: VaultInvariant = {
  id: 'nothing-with-destroyed-keys',
  promise: 'Once a key item is removed nothing is encrypted or decrypted with its keys.',
  spec: ['R10', 'E13'],
  watch: atCipher((world) => {
    const gone = new Set<string>();
    return {
      call: ({ does, key }) =>
        gone.has(key)
          ? `Something was ${does}ed with the key ${key.slice(0, 8)}…, which was destroyed before.`
          : undefined,
      event: (event) => {
        if (event.kind !== 'storage' || !isKeychainWrite(event)) return;
        for (const book of Object.values(world.facts.books)) {
          if (event.detail !== `vault.${book.namespace}`) continue;
          const now = keysIn(itemOf(phoneOf(world), book));
          if (event.call.endsWith('deleteItemAsync')) for (const key of book.keys) gone.add(key);
          book.keys = now;
        }
      },
    };
  }),
};

const oldInstallationStaysClosed: VaultInvariant = {
  id: 'old-installation-stays-closed',
  promise: 'No key of an earlier installation is used, and start removes it.',
  spec: ['R11'],
  watch: atCipher((world) => {
    const old = new Set<string>();
    return {
      call: ({ key }) =>
        old.has(key) ? `The key ${key.slice(0, 8)}… of an earlier installation was used.` : undefined,
      event: (event) => {
        const { books } = world.facts;
        if (event.kind === 'condition' && event.condition === 'reinstalled')
          for (const { keys } of Object.values(books)) for (const key of keys) old.add(key);
        if (event.kind !== 'settled' || event.error !== null || !event.label.startsWith('start ')) return;
        const book = books[event.label.slice('start '.length) as Namespace];
        const [left] = keysIn(itemOf(phoneOf(world), book)).filter((key) => old.has(key));
        if (left)
          report(world.facts, 'start-removes-old-keys', `After start the key ${left.slice(0, 8)}… is still there.`);
      },
    };
  }),
};

const nothingNewForALostKey: VaultInvariant = {
  ...reported('nothing-new-for-a-lost-key', 'A lost key gets no successor, and its records stay, until a wipe.', [
    'R9',
  ]),
  watch: (world) => (event) => {
    const { facts } = world;
    if (event.kind === 'launch') for (const book of Object.values(facts.books)) book.wasOpenAtLoss = false;
    if (event.kind === 'storage' && isKeychainWrite(event) && event.call.endsWith('setItemAsync')) {
      for (const book of Object.values(facts.books)) {
        if (event.detail !== `vault.${book.namespace}`) continue;
        const [name] = sureNames(book);
        if (book.isKeyLost && !book.wasOpenAtLoss && name !== undefined)
          report(
            facts,
            'nothing-new-for-a-lost-key',
            `The key of ${book.namespace} was lost, and a new one was made although "${name}" is there.`,
          );
        book.isKeyLost = false;
      }
    }
    return facts.problems.get('nothing-new-for-a-lost-key');
  },
};

const twoKeysAtMost: VaultInvariant = {
  id: 'rotation-ends',
  promise: 'A key item holds two keys at most, and one once a launch has unlocked it in peace.',
  spec: ['R8', 'E2'],
  watch: (world) => (event) => {
    if (!isKeychainWrite(event)) return undefined;
    const book = Object.values(world.facts.books).find(({ keys }) => keys.length > 2);
    return book && `The key item of ${book.namespace} holds ${book.keys.length} keys.`;
  },
  relaunched: stillRunning,
};

function stillRunning(world: VaultWorld): string | undefined {
  const { app } = phoneOf(world);
  const open = NAMESPACES.find((namespace) => app?.[namespace].getState().rotation === 'running');
  return open && `All has been quiet since ${open} was unlocked, but its rotation is still running.`;
}

// ---------------------------------------------------------------------------------------------------------------------

export const scenario = defineScenario<SecureStorageModule, Vaults, NoBackend, Facts>({
  kata: 'secure-storage',
  apiUrl: 'https://api.example.test',
  slots: 14,
  gapsMs: [0, 2, 5, 20, 300, 6_000, 40_000, 310_000],
  endpoints: [],
  backend: () => createBackend(),
  facts: () => ({
    books: { health: newBook('health'), 'health-sync': newBook('health-sync') },
    problems: new Map(),
    orders: 0,
    promptsAllowed: 0,
    forged: 0,
    hasFailed: false,
    leftAtMs: null,
  }),
  open(opening: Opening) {
    const { module, device, facts, phone, backend, follow, stateChanged } = opening;
    facts.leftAtMs = null;
    for (const book of Object.values(facts.books)) {
      lockBook(book, 'launch');
      book.unlocking = 0;
      book.rotating = 0;
      book.cut = book.wiping;
      book.wiping = null;
    }
    const make = (namespace: Namespace) => module.createVault({ device, namespace, gate: GATES[namespace] });
    const app: Vaults = { health: make('health'), 'health-sync': make('health-sync') };
    const stage: VaultStage = { app, facts, backend, phone: phone as PhoneView<Vaults>, follow };
    for (const namespace of NAMESPACES) {
      app[namespace].subscribe(stateChanged);
      begin(stage, namespace, START_TRIES);
    }
    return app;
  },
  healed: (stage) => {
    for (const namespace of NAMESPACES) comeBack(stage, namespace);
  },
  close: (app) => {
    for (const namespace of NAMESPACES) app[namespace].dispose();
  },
  view: (app) =>
    NAMESPACES.map((namespace) => {
      const { status, rotation, unreadable } = app[namespace].getState();
      return { status, rotation, unreadable: [...unreadable] };
    }),
  actions,
  conditions: {
    background: { weight: 2, forMs: [10_000, 400_000] },
    kill: { weight: 4, forMs: [200, 60_000] },
    clock: { byMs: [-3_600_000] },
    reinstall: { forMs: [1_000] },
    enrolment: {},
    keychainLost: {},
    screenLock: { forMs: [20_000] },
    lowDisk: { forMs: [30_000] },
  },
  faults: {
    'storage.write': ['full', 'failed', 'slow', 'torn', 'kill-before', 'kill-after'],
    'storage.read': ['failed', 'slow', 'kill-before'],
    'secureStore.write': ['failed', 'slow', 'kill-before', 'kill-after'],
    'secureStore.read': ['failed', 'slow', 'kill-before'],
    localAuthentication: ['user-cancel', 'system-cancel', 'lockout', 'not-recognised', 'kill-before', 'kill-after'],
  },
  invariants: [
    locksAfterAbsence,
    noPlainText,
    keysStayInTheKeychain,
    sealedWithGcm,
    nonceOnce,
    keyItemGuarded,
    onePrompt,
    reported('locked-answers-nothing', 'While locked nothing is read, written or rotated.', ['R5', 'E7']),
    reported('open-stays-open', 'What nothing has locked answers; without an owner the background locks nothing.', [
      'R12',
    ]),
    nothingNewForALostKey,
    nothingWithDestroyedKeys,
    oldInstallationStaysClosed,
    reported('start-removes-old-keys', 'After start no key of an earlier installation is left.', ['R11']),
    twoKeysAtMost,
    reported('acknowledged-is-readable', 'Every acknowledged value is readable with one unlock.', ['R7', 'E1', 'E6']),
    reported('readable-after-rotation', 'Rotations cost no value, wherever they are cut off.', ['R8', 'E2']),
    reported('old-key-kept-in-doubt', 'A rotation that met a failing storage costs no value.', ['E12']),
    reported('newest-stays', 'What was overwritten or removed does not come back.', ['E14']),
    reported('forged-never-opens', 'No name gives a value that was never put under it.', ['R2', 'E9']),
    reported('forged-harms-no-other', 'Only records that somebody has changed are corrupt.', ['R6']),
    reported('wipe-leaves-nothing', 'A wipe leaves neither key nor record, and nothing comes back.', ['R10', 'E13']),
    reported('wipe-ends', 'A wipe that was cut off has not begun, or is finished by the next start.', ['R10', 'E11']),
    reported('wiped-alone', 'A wipe of one namespace leaves the values of the other.', ['R12', 'E16']),
  ],
  budgets: [
    {
      id: 'prompts',
      promise: 'One prompt for each unlock.',
      spec: ['R15'],
      measure: ({ costs }) => costs.prompts,
      allowance: 1.25,
    },
    {
      id: 'keychain-reads',
      promise: 'One read of the keychain for each unlock.',
      spec: ['R15'],
      measure: ({ costs }) => costs.secureReads,
      allowance: 1.25,
    },
    {
      id: 'keychain-writes',
      promise: 'One write for a new key, two for a rotation.',
      spec: ['R15'],
      measure: ({ costs }) => costs.secureWrites,
      allowance: 1.15,
    },
    {
      id: 'storage-writes',
      promise: 'One write for each put, and for each record of a rotation.',
      spec: ['R15'],
      measure: ({ costs }) => costs.storageWrites,
      allowance: 1.5,
    },
    {
      id: 'storage-reads',
      promise: 'One read for each get, and for each record of a rotation.',
      spec: ['R15'],
      measure: ({ costs }) => costs.storageReads,
      allowance: 1.75,
    },
  ],
  patienceMs: 60_000,
});
