// The simulation: two phones, two people, a third who writes from elsewhere, and everything that can go wrong.
import fc from 'fast-check';
import type { Chat, ChatModule, ChatState, Message } from '#contract/chat';
import {
  atKind,
  atSend,
  CACHE_URI,
  DOCUMENTS_URI,
  defineAction,
  defineScenario,
  type Invariant,
  type OpenContext,
  type PhoneView,
  type RequestRecord,
  type Stage,
  syntheticBytes,
  type WorldView,
} from '#simulator';
import { type ChatBackend, createBackend, PIECE_BYTES } from './backend.ts';

/** A message as the person who sent it knows it. Its serial travels in the text. */
interface Sent {
  readonly serial: number;
  readonly userId: string;
  readonly chatId: string;
  localId: string | null;
  /** `open`: no answer yet, or never, because the app was killed. */
  outcome: 'open' | 'kept' | 'rejected';
  /** Asked for; whether it came in time nobody can say. */
  isDiscarded: boolean;
  /** The person has signed out since. */
  isForgotten: boolean;
  /** It was seen as failed, or tried again: it has lost its place. */
  hasStepped: boolean;
}

/** What a shell holds: the chat of whoever is signed in. */
interface Shell {
  chat: Chat;
  userId: string;
  /** Several invariants look at each state: what they look at is made once. */
  seen?: { readonly state: ChatState; readonly threads: Threads };
  /** What rows are known by, by localId and author: a text that is looked up in each state is made, and hashed, once. */
  readonly names: Map<string, Map<string, string>>;
}

interface Person {
  userId: string;
  /** What the shell opens again after a restart. */
  openChat: string | null;
  token: string;
  isSwitching: boolean;
}

interface Facts {
  readonly sent: Sent[];
  readonly people: readonly [Person, Person];
  /** The highest mark that each person has asked for, by user and chat. */
  readonly read: Map<string, number>;
  /** Contents of the picked files, by serial and place. */
  picked: number;
  /** The present launch of each phone. */
  readonly openings: Opening[];
}

type ChatStage = Stage<Shell, ChatBackend, Facts>;
type ChatWorld = WorldView<Shell, ChatBackend, Facts>;
type ChatInvariant = Invariant<Shell, ChatBackend, Facts>;
type Opening = OpenContext<ChatModule, ChatBackend, Facts>;

const START_TRIES = 5;
const CHATS: Readonly<Record<string, readonly string[]>> = {
  ada: ['ada-bo', 'ada-cy'],
  bo: ['ada-bo', 'bo-cy'],
  dee: ['bo-dee', 'cy-dee'],
};
const MESSAGE = 'POST /chat/:chatId/message';
const RECEIPTS = 'POST /chat/:chatId/receipts';
const EVENTS = 'GET /chat/all/after';
const PAGE = 'GET /chat/:chatId/all';
const LIST = 'GET /chat/all';
const PUT = 'PUT /u/:uploadId';
const AUTH = 'POST /pusher/auth';
const FILE_BYTES = PIECE_BYTES + 40_000;

// ---------------------------------------------------------------------------------------------------------------------
// What people do

const personOf = ({ facts }: { facts: Facts }, phone: number): Person => facts.people[phone === 0 ? 0 : 1];
const chatOf = (userId: string, nth: number): string => CHATS[userId]?.[nth] ?? '';
const keyOf = (userId: string, chatId: string) => `${userId} in ${chatId}`;

function send(stage: ChatStage, nth: number, files: number): void {
  const { app, facts, follow, phone } = stage;
  const { userId } = app;
  const sent: Sent = {
    serial: facts.sent.length + 1,
    userId,
    chatId: chatOf(userId, nth),
    localId: null,
    outcome: 'open',
    isDiscarded: false,
    isForgotten: false,
    hasStepped: false,
  };
  facts.sent.push(sent);
  const attachments = Array.from({ length: files }, (_, n) => {
    facts.picked += 1;
    const uri = `${CACHE_URI}pick-${sent.serial}-${n}.jpg`;
    phone.disk.files.write(uri, syntheticBytes(FILE_BYTES + n, 1 + (sent.serial % 3)));
    return { uri, name: `pick-${n}.jpg`, mime: 'image/jpeg', sizeBytes: FILE_BYTES + n };
  });
  follow(
    `send ${sent.serial} to ${sent.chatId}`,
    () => app.chat.send(sent.chatId, { text: textOf(sent), attachments }),
    {
      done: (answer) => {
        sent.outcome = 'kept';
        sent.localId = answer?.localId ?? null;
      },
      failed: () => {
        sent.outcome = 'rejected';
      },
    },
  );
}

const textOf = ({ serial, userId }: Sent): string => `m${serial} of ${userId}`;
const serialOf = (text: string): number => Number(/^m(\d+) of /.exec(text)?.[1] ?? 0);

/** Acts on an unsent message that the person sees. */
function onUnsent(stage: ChatStage, what: 'retry' | 'discard', isMeant: (message: Message) => boolean): void {
  const { app, facts, follow } = stage;
  const unsent = Object.values(stateOf(app)?.threads ?? {}).flatMap(({ messages }) => messages);
  const message = unsent.find((one) => one.sequenceId === null && isMeant(one));
  const sent = message && facts.sent[serialOf(message.text) - 1];
  if (!message || !sent) return;
  if (what === 'discard') sent.isDiscarded = true;
  sent.hasStepped = true;
  follow(`${what} ${sent.serial}`, () => app.chat[what](message.localId));
}

function read(stage: ChatStage): void {
  const { app, facts, follow, phone } = stage;
  const chatId = personOf(stage, phone.index).openChat;
  const newest = chatId && stateOf(app)?.threads[chatId]?.messages.findLast(({ sequenceId }) => sequenceId !== null);
  if (!chatId || !newest) return;
  const key = keyOf(app.userId, chatId);
  const sequenceId = Number(newest.sequenceId);
  facts.read.set(key, Math.max(facts.read.get(key) ?? 0, sequenceId));
  follow(`mark ${chatId} as read up to ${sequenceId}`, () => app.chat.markRead(chatId, sequenceId));
}

function openThread(stage: ChatStage, nth: number): void {
  const person = personOf(stage, stage.phone.index);
  const chatId = chatOf(stage.app.userId, nth);
  const before = person.openChat;
  person.openChat = chatId;
  if (before !== null && before !== chatId) stage.follow(`close ${before}`, () => stage.app.chat.closeChat(before));
  stage.follow(`open ${chatId}`, () => stage.app.chat.openChat(chatId));
}

function bringToken(stage: ChatStage): void {
  const person = personOf(stage, stage.phone.index);
  stage.follow('bring a new token', async () => {
    person.token = stage.backend.issueToken(person.userId);
    stage.app.chat.setToken(person.token);
  });
}

/** Signs out, and the other person who shares the phone signs in. */
function switchUser(stage: ChatStage): void {
  const { app, facts, follow, phone } = stage;
  const person = personOf(stage, phone.index);
  if (phone.index !== 0 || person.isSwitching) return;
  const leaving = app.userId;
  const opening = facts.openings[phone.index];
  if (!opening) return;
  person.isSwitching = true;
  for (const sent of facts.sent) if (sent.userId === leaving) sent.isForgotten = true;
  const leave = (triesLeft: number): void =>
    follow(`sign out ${leaving}`, () => app.chat.signOut(), {
      done: () => {
        app.chat.dispose();
        signIn(opening, person, leaving === 'ada' ? 'dee' : 'ada');
        Object.assign(app, makeShell(opening));
      },
      failed: () => {
        if (triesLeft > 1) leave(triesLeft - 1);
      },
    });
  leave(START_TRIES);
}

function signIn({ backend, phone }: Opening, person: Person, userId: string): void {
  person.userId = userId;
  person.openChat = null;
  person.token = backend.issueToken(userId);
  person.isSwitching = false;
  backend.phones.set(userId, phone.index);
}

const nothing = fc.constant({});
const nth = fc.constantFrom(0, 0, 0, 1);
const nthOnly = fc.record({ nth });
const which = (n: number) => (n === 0 ? 'the first chat' : 'the second chat');

const act = <Args extends Record<string, never> | { nth: number }>(
  weight: number,
  args: fc.Arbitrary<Args>,
  says: (args: Args) => string,
  run: (stage: ChatStage, args: Args) => void,
  opensApp = true,
) => defineAction<Shell, ChatBackend, Facts, Args>({ weight, args, says, run, opensApp });

const someoneElse = (chatId: string, userId: string): string => chatId.split('-').find((one) => one !== userId) ?? 'cy';

const actions = {
  write: act(
    7,
    nthOnly,
    ({ nth }) => `writes to ${which(nth)}`,
    (stage, { nth }) => send(stage, nth, 0),
  ),
  burst: act(
    2,
    nothing,
    () => 'writes three messages in the same tick',
    (stage: ChatStage) => {
      for (const nth of [0, 1, 0]) send(stage, nth, 0);
    },
  ),
  photo: act(
    2,
    nthOnly,
    ({ nth }) => `sends two photos to ${which(nth)}, and a text behind them`,
    (stage, { nth }) => {
      send(stage, nth, 2);
      send(stage, nth, 0);
    },
  ),
  open: act(
    3,
    nthOnly,
    ({ nth }) => `opens ${which(nth)}`,
    (stage, { nth }) => openThread(stage, nth),
  ),
  close: act(
    1,
    nothing,
    () => 'goes back to the list',
    (stage: ChatStage) => {
      const person = personOf(stage, stage.phone.index);
      const { openChat } = person;
      person.openChat = null;
      if (openChat) stage.follow(`close ${openChat}`, () => stage.app.chat.closeChat(openChat));
    },
  ),
  read: act(3, nothing, () => 'reads what is shown', read),
  scrollUp: act(
    1,
    nothing,
    () => 'scrolls up',
    (stage: ChatStage) => {
      const { openChat } = personOf(stage, stage.phone.index);
      if (openChat) stage.follow(`load older in ${openChat}`, () => stage.app.chat.loadOlder(openChat));
    },
  ),
  retry: act(
    1,
    nothing,
    () => 'tries the first failed message again',
    (stage: ChatStage) => onUnsent(stage, 'retry', ({ status }) => status === 'failed'),
  ),
  discard: act(
    1,
    nothing,
    () => 'discards the first unsent message',
    (stage: ChatStage) => onUnsent(stage, 'discard', () => true),
  ),
  hear: act(
    4,
    nthOnly,
    ({ nth }) => `is written to in ${which(nth)}`,
    (stage, { nth }) => {
      const { userId } = personOf(stage, stage.phone.index);
      const chatId = chatOf(userId, nth);
      stage.backend.write(chatId, someoneElse(chatId, userId), 'from elsewhere', '2026-03-01T07:00:00.000Z');
    },
    false,
  ),
  tablet: act(
    1,
    nthOnly,
    ({ nth }) => `writes and reads on a tablet, in ${which(nth)}`,
    (stage, { nth }) => {
      const { userId } = personOf(stage, stage.phone.index);
      const chatId = chatOf(userId, nth);
      const { sequenceId } = stage.backend.write(chatId, userId, 'from the tablet', '2026-03-04T07:00:00.000Z');
      stage.backend.mark(chatId, userId, { readUpTo: sequenceId - 1 });
    },
    false,
  ),
  forgotten: act(
    1,
    nothing,
    () => 'is away for longer than the server keeps events',
    (stage: ChatStage) => {
      const { userId } = personOf(stage, stage.phone.index);
      const chatId = chatOf(userId, 0);
      for (let n = 0; n < 2; n += 1) stage.backend.write(chatId, someoneElse(chatId, userId), 'long ago');
      stage.backend.forget(userId);
    },
    false,
  ),
  tokenEnds: act(
    1,
    nothing,
    () => 'is signed out of the server, and no token is good any more',
    (stage: ChatStage) => stage.backend.revoke(personOf(stage, stage.phone.index).userId),
    false,
  ),
  tokenRenewed: act(2, nothing, () => 'gets a new token', bringToken),
  switchUser: act(1, nothing, () => 'signs out, and somebody else signs in', switchUser),
};

// ---------------------------------------------------------------------------------------------------------------------
// Launches

/** As a shell would: a start that fails is tried again; then the thread that was open is opened. */
function begin(shell: Shell, opening: Opening, triesLeft: number): void {
  const { follow, facts, phone } = opening;
  const { chat } = shell;
  follow('start', () => chat.start(), {
    done: () => {
      const { openChat } = personOf({ facts }, phone.index);
      if (openChat && shell.chat === chat) follow(`open ${openChat}`, () => chat.openChat(openChat));
    },
    failed: () => {
      if (triesLeft > 1 && shell.chat === chat) begin(shell, opening, triesLeft - 1);
    },
  });
}

function makeShell(opening: Opening): Shell {
  const { module, device, apiUrl, facts, phone, stateChanged } = opening;
  const { userId, token } = personOf({ facts }, phone.index);
  const chat = module.createChat({ device, apiUrl, userId, accessToken: token });
  chat.subscribe(stateChanged);
  const shell: Shell = { chat, userId, names: new Map() };
  begin(shell, opening, START_TRIES);
  return shell;
}

function open(opening: Opening): Shell {
  const { backend, facts, phone } = opening;
  const person = personOf({ facts }, phone.index);
  facts.openings[phone.index] = opening;
  // A sign-out that a kill cut short: the login screen came, and the same person signed in again.
  if (person.token === '' || person.isSwitching) {
    const { openChat } = person;
    signIn(opening, person, person.userId);
    person.openChat = openChat;
  }
  backend.phones.set(person.userId, phone.index);
  return makeShell(opening);
}

// ---------------------------------------------------------------------------------------------------------------------
// What can be seen. An attempt is not trusted to keep to its types.

function stateOf(shell: Shell | null | undefined): ChatState | null {
  const state: Partial<ChatState> | undefined = shell?.chat.getState();
  return state && Array.isArray(state.chats) && state.threads ? (state as ChatState) : null;
}

/** Of each open chat its rows, and what every row is known by. */
type Threads = readonly (readonly [chatId: string, messages: readonly Message[], names: readonly string[]])[];
function threadsOf(shell: Shell | null | undefined): Threads {
  const state = stateOf(shell);
  if (!shell || !state) return [];
  if (shell.seen?.state !== state) {
    const { names } = shell;
    const threads = Object.entries(state.threads).map(
      ([chatId, { messages }]) => [chatId, messages, messages.map((message) => nameOf(message, names))] as const,
    );
    shell.seen = { state, threads };
  }
  return shell.seen.threads;
}

function nameOf({ fromUserId, localId }: Message, names: Shell['names']): string {
  const ofLocalId = names.get(localId) ?? new Map<string, string>();
  const name = ofLocalId.get(fromUserId) ?? `${fromUserId} ${localId}`;
  if (ofLocalId.size === 0) names.set(localId, ofLocalId);
  ofLocalId.set(fromUserId, name);
  return name;
}

const lineOf = ({ text, sequenceId, status }: Message) => `${sequenceId ?? '-'} ${text} ${status}`;

function view(shell: Shell) {
  const state = stateOf(shell);
  return {
    chats: (state?.chats ?? []).map(({ chatId, preview, unreadCount }) => ({ chatId, preview, unreadCount })),
    threads: Object.fromEntries(
      threadsOf(shell)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([chatId, messages]) => [chatId, messages.map(lineOf)]),
    ),
  };
}

/** Calls `look` at the state of a phone whenever its app says that it has changed. */
function atState(
  look: (world: ChatWorld) => (shell: Shell, phone: PhoneView<Shell>) => string | undefined,
): NonNullable<ChatInvariant['watch']> {
  return (world) => {
    const lookAt = look(world);
    return atKind('state', (event) => {
      const phone = world.phones[event.phone];
      const shell = phone?.app;
      return shell ? lookAt(shell, phone) : undefined;
    });
  };
}

/** Calls `look` at each message that reaches the server. */
function atMessage(
  look: (world: ChatWorld) => (effect: { chatId: string; fromUserId: string; text: string }) => string | undefined,
): NonNullable<ChatInvariant['watch']> {
  return (world) => {
    const lookAt = look(world);
    return atKind('effect', ({ label, data }) =>
      label === 'message' ? lookAt(data as { chatId: string; fromUserId: string; text: string }) : undefined,
    );
  };
}

const isOnApi = ({ url }: RequestRecord): boolean => url.startsWith('https://api.');
const chatIdIn = ({ url }: RequestRecord): string => url.split('/chat/')[1]?.split('/')[0] ?? '';

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: the screen

const oneRow: ChatInvariant = {
  id: 'one-row',
  promise: 'No two rows show one message, and no two share a key.',
  spec: ['R3'],
  watch: atState(() => (shell) => {
    for (const [chatId, messages, names] of threadsOf(shell)) {
      for (const [n, message] of messages.entries()) {
        const what = sharedWithOneAbove(messages, names, n);
        if (what) return `${chatId} shows "${message.text}" twice: two rows have the ${what}.`;
      }
    }
    return undefined;
  }),
};

/** What a row has in common with one above it, though no two may. There are many states: nothing is made for it. */
function sharedWithOneAbove(messages: readonly Message[], names: readonly string[], n: number): string | null {
  const row = messages[n];
  for (let above = 0; above < n; above += 1) {
    const other = messages[above];
    if (row?.key === other?.key) return `key ${row?.key}`;
    if (row?.id === other?.id && row?.id !== null) return `id ${row?.id}`;
    if (names[n] === names[above]) return `name ${names[n]}`;
  }
  return null;
}

const keepsItsKey: ChatInvariant = {
  id: 'keeps-its-key',
  promise: 'A row keeps its key when it is confirmed.',
  spec: ['R3'],
  watch: atState(() => {
    const keysIn = new Map<string, Map<string, string>>();
    return (shell) => {
      for (const [chatId, messages, names] of threadsOf(shell)) {
        const keys = keysIn.get(chatId) ?? new Map<string, string>();
        keysIn.set(chatId, keys);
        for (const [n, { key }] of messages.entries()) {
          const name = names[n] ?? '';
          const before = keys.get(name);
          if (before === undefined) keys.set(name, key);
          else if (before !== key) return `A row of ${chatId} had the key ${before}, and then ${key}.`;
        }
      }
      return undefined;
    };
  }),
};

const inOrderOnScreen: ChatInvariant = {
  id: 'in-order-on-screen',
  promise: 'Confirmed rows rise by sequenceId, and unsent ones stand below.',
  spec: ['R6'],
  watch: atState(() => (shell) => {
    for (const [chatId, messages] of threadsOf(shell)) {
      let last = 0;
      for (const { sequenceId } of messages) {
        const next = sequenceId ?? Number.POSITIVE_INFINITY;
        if (next < last || (sequenceId !== null && next === last))
          return `${chatId} shows ${sequenceId} below ${last}: ${messages.map((one) => one.sequenceId ?? '-').join(', ')}.`;
        last = next;
      }
    }
    return undefined;
  }),
};

const RANKS: Readonly<Record<string, number>> = { sending: 0, failed: 0, sent: 1, delivered: 2, read: 3 };

const statusClimbs: ChatInvariant = {
  id: 'status-climbs',
  promise: 'No status goes back.',
  spec: ['R12'],
  watch: atState(({ facts }) => {
    const seenIn = new Map<string, Map<string, Message['status']>>();
    return (shell) => {
      for (const [chatId, messages, names] of threadsOf(shell)) {
        const key = keyOf(shell.userId, chatId);
        const seen = seenIn.get(key) ?? new Map<string, Message['status']>();
        seenIn.set(key, seen);
        for (const [n, { status, text }] of messages.entries()) {
          const name = names[n] ?? '';
          const before = seen.get(name) ?? 'sending';
          if (before === status) continue;
          seen.set(name, status);
          const sent = status === 'failed' && facts.sent[serialOf(text) - 1];
          if (sent) sent.hasStepped = true;
          if ((RANKS[status] ?? 0) < (RANKS[before] ?? 0)) return `"${text}" was ${before}, and then ${status}.`;
        }
      }
      return undefined;
    };
  }),
};

const ownChatsOnly: ChatInvariant = {
  id: 'own-chats-only',
  promise: 'Nobody sees the chats of somebody else.',
  spec: ['R14'],
  watch: atState(() => (shell) => {
    const { userId } = shell;
    const [asFirst, asSecond] = [`${userId}-`, `-${userId}`];
    const isForeign = (chatId: string) => !chatId.startsWith(asFirst) && !chatId.endsWith(asSecond);
    const listed = stateOf(shell)?.chats.find(({ chatId }) => isForeign(chatId))?.chatId;
    const foreign = listed ?? threadsOf(shell).find(([chatId]) => isForeign(chatId))?.[0];
    return foreign && `${userId} sees ${foreign}.`;
  }),
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: messages on the server

const landsOnce: ChatInvariant = {
  id: 'lands-once',
  promise: 'No message lands on the server twice.',
  spec: ['R2', 'E2'],
  watch: atMessage(() => {
    const seen = new Set<number>();
    return ({ chatId, text }) => {
      const serial = serialOf(text);
      if (serial > 0 && seen.has(serial)) return `"${text}" is in ${chatId} twice.`;
      seen.add(serial);
      return undefined;
    };
  }),
};

const landsInOrder: ChatInvariant = {
  id: 'lands-in-order',
  promise: 'Messages of one person land in a chat in the order in which they were sent.',
  spec: ['R4'],
  watch: atMessage(({ facts }) => {
    const last = new Map<string, number>();
    return ({ chatId, text }) => {
      const sent = facts.sent[serialOf(text) - 1];
      if (!sent || sent.hasStepped) return undefined;
      const key = keyOf(sent.userId, chatId);
      const before = last.get(key) ?? 0;
      last.set(key, Math.max(before, sent.serial));
      return sent.serial < before ? `In ${chatId}, message ${sent.serial} landed after message ${before}.` : undefined;
    };
  }),
};

const landsUnderItsName: ChatInvariant = {
  id: 'lands-under-its-name',
  promise: "What somebody has written is sent in nobody else's name.",
  spec: ['R14'],
  watch: atMessage(({ facts }) => ({ text, fromUserId }) => {
    const sent = facts.sent[serialOf(text) - 1];
    return sent && sent.userId !== fromUserId ? `"${text}" was sent as ${fromUserId}.` : undefined;
  }),
};

/** Serials that are on the server. */
const landed = ({ backend }: ChatWorld): Set<number> =>
  new Set([...backend.chats.values()].flatMap(({ messages }) => messages.map(({ text }) => serialOf(text))));

/** Messages that both phones show: once healed, every chat of whoever is signed in is open. */
const shownUnsent = ({ phones }: ChatWorld): Message[] =>
  phones.flatMap(({ app }) => threadsOf(app).flatMap(([, messages]) => messages)).filter((one) => one.id === null);

function lostMessage(world: ChatWorld): string | undefined {
  const onServer = landed(world);
  const shown = new Set(shownUnsent(world).map(({ text }) => serialOf(text)));
  const isOpen = ({ userId, chatId }: Sent) =>
    world.phones.some(({ app }) => app?.userId === userId && stateOf(app)?.threads[chatId] !== undefined);
  const lost = world.facts.sent.find(
    (sent) =>
      sent.outcome === 'kept' &&
      !sent.isDiscarded &&
      !sent.isForgotten &&
      !onServer.has(sent.serial) &&
      !shown.has(sent.serial) &&
      isOpen(sent),
  );
  return lost && `Message ${lost.serial} to ${lost.chatId} was taken, but it is neither on the server nor shown.`;
}

const takenIsKept: ChatInvariant = {
  id: 'taken-is-kept',
  promise: 'Every message that was taken is on the server, or still shown.',
  spec: ['R1'],
  settled: lostMessage,
  relaunched: lostMessage,
};

const nothingLeftSending: ChatInvariant = {
  id: 'nothing-left-sending',
  promise: 'Once all is well nothing is sending, and nothing that the server has is shown as failed.',
  spec: ['R3', 'R5'],
  settled: (world) => {
    const onServer = landed(world);
    const left = shownUnsent(world).find(({ status, text }) => status !== 'failed' || onServer.has(serialOf(text)));
    if (!left) return undefined;
    const where = onServer.has(serialOf(left.text)) ? ', though the server has it' : '';
    return `"${left.text}" is still shown as ${left.status}${where}.`;
  },
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: requests

const silentOffline: ChatInvariant = {
  id: 'silent-offline',
  promise: 'Nothing leaves while netInfo says offline.',
  spec: ['R16'],
  watch: atSend(
    () => (request) =>
      request.sentOnline ? undefined : `${request.endpoint} ${request.nth} left while the phone was offline.`,
  ),
};

const oneMessageAtATime: ChatInvariant = {
  id: 'one-message-at-a-time',
  promise: 'A chat has one message on its way.',
  spec: ['R4'],
  watch: atSend(() => (sent, others) => {
    const isTwin = (one: RequestRecord) => one.endpoint === MESSAGE && chatIdIn(one) === chatIdIn(sent);
    return sent.endpoint === MESSAGE && others().some(isTwin)
      ? `A message to ${chatIdIn(sent)} left while another was still out.`
      : undefined;
  }),
};

const oneCatchUp: ChatInvariant = {
  id: 'one-catch-up',
  promise: 'A phone has one request for events out.',
  spec: ['R16'],
  watch: atSend(
    () => (sent, others) =>
      sent.endpoint === EVENTS && others().some(({ endpoint }) => endpoint === EVENTS)
        ? `Events were asked for while another request for them was out.`
        : undefined,
  ),
};

const onePage: ChatInvariant = {
  id: 'one-page',
  promise: 'A chat has one request for a page out.',
  spec: ['R10'],
  watch: atSend(() => (sent, others) => {
    const isTwin = (one: RequestRecord) => one.endpoint === PAGE && chatIdIn(one) === chatIdIn(sent);
    return sent.endpoint === PAGE && others().some(isTwin)
      ? `A page of ${chatIdIn(sent)} was asked for while another was still out.`
      : undefined;
  }),
};

const bearerOf = ({ headers }: RequestRecord): string => headers.authorization?.replace(/^Bearer /, '') ?? '';

const waitsForAToken: ChatInvariant = {
  id: 'waits-for-a-token',
  promise: 'After a 401 nothing leaves with that token any more.',
  spec: ['R14'],
  watch: () => {
    const refused = new Map<string, number>();
    return atKind(['launch', 'request'], (event) => {
      // A shell may bring the same token again at a launch.
      if (event.kind === 'launch') refused.clear();
      if (event.kind !== 'request' || !isOnApi(event.request)) return undefined;
      const token = bearerOf(event.request);
      if (event.phase === 'received' && event.note === '401' && !refused.has(token)) refused.set(token, event.atMs);
      // An answer and another request may cross within the same moment.
      const sinceMs = event.phase === 'sent' ? event.atMs - (refused.get(token) ?? event.atMs) : 0;
      return sinceMs < 5
        ? undefined
        : `${event.request.endpoint} left ${Math.round(sinceMs)} ms after its token had been refused.`;
    });
  },
};

const newestToken: ChatInvariant = {
  id: 'newest-token',
  promise: 'Every request to the API carries the newest token, and nothing leaves after a sign-out.',
  spec: ['R14'],
  watch: ({ facts }) => {
    const changes = facts.people.map(({ token }) => ({ token, atMs: 0 }));
    // Whoever brings a new token does it by one of the others.
    return atKind(['launch', 'kill', 'action', 'settled', 'condition', 'state', 'request'], (event) => {
      const { token, userId, isSwitching } = personOf({ facts }, event.phone);
      const change = changes[event.phone];
      if (change && change.token !== token) Object.assign(change, { token, atMs: event.atMs });
      if (event.kind !== 'request' || event.phase !== 'sent') return undefined;
      const { request } = event;
      if (isSwitching) return `${request.endpoint} left after ${userId} had signed out.`;
      if (!isOnApi(request))
        return request.headers.authorization ? `${request.url} was sent an Authorization header.` : undefined;
      // A request and a new token may cross within the same moment.
      if (bearerOf(request) === token || event.atMs - (change?.atMs ?? 0) < 5) return undefined;
      return `${request.endpoint} carried ${bearerOf(request)}, not ${token}.`;
    });
  },
};

const receiptsAreRare: ChatInvariant = {
  id: 'receipts-are-rare',
  promise: 'A chat has one receipts request a second at most.',
  spec: ['R11'],
  watch: () => {
    const last = new Map<string, number>();
    return atKind(['launch', 'request'], (event) => {
      if (event.kind === 'launch')
        for (const key of [...last.keys()]) if (key[0] === `${event.phone}`) last.delete(key);
      if (event.kind !== 'request' || event.phase !== 'sent' || event.request.endpoint !== RECEIPTS) return undefined;
      const key = `${event.phone} ${chatIdIn(event.request)}`;
      const sinceMs = event.atMs - (last.get(key) ?? Number.NEGATIVE_INFINITY);
      last.set(key, event.atMs);
      return sinceMs < 995 ? `Receipts of ${chatIdIn(event.request)} left ${Math.round(sinceMs)} ms apart.` : undefined;
    });
  },
};

const readByAPerson: ChatInvariant = {
  id: 'read-by-a-person',
  promise: 'No read mark goes beyond what a person has seen.',
  spec: ['R11'],
  watch: atSend(({ facts, backend }: ChatWorld) => (request) => {
    if (request.endpoint !== RECEIPTS) return undefined;
    const { userId } = personOf({ facts }, request.phone);
    const { readUpTo = 0 } = JSON.parse(request.body ?? '{}') as { readUpTo?: number };
    const chatId = chatIdIn(request);
    // What was read on the tablet may be told again.
    const tablet = backend.chats.get(chatId)?.receipts.get(userId)?.readUpTo ?? 0;
    const seen = Math.max(tablet, facts.read.get(keyOf(userId, chatId)) ?? 0);
    return readUpTo > seen ? `${chatId} was marked as read up to ${readUpTo}, but seen up to ${seen}.` : undefined;
  }),
};

const noPieceTwice: ChatInvariant = {
  id: 'no-piece-twice',
  promise: 'No piece of a file is sent again once the server has confirmed it.',
  spec: ['R13'],
  watch: () => {
    const confirmed = new Map<string, number>();
    return atKind('request', (event) => {
      if (event.request.endpoint !== PUT) return undefined;
      const { url, headers } = event.request;
      const [, from = '0', to = '0'] = /^bytes (\d+)-(\d+)/.exec(headers['content-range'] ?? '') ?? [];
      const file = new URL(url).pathname;
      if (event.phase === 'received' && event.note === '200') confirmed.set(file, Number(to) + 1);
      const known = confirmed.get(file) ?? 0;
      return event.phase === 'sent' && Number(from) < known
        ? `Bytes from ${from} of ${file} were sent again, though ${known} were confirmed.`
        : undefined;
    });
  },
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold once all is well again

/** Everybody's open threads, with what the server has. */
function* openThreads({ phones, backend }: ChatWorld) {
  for (const { app } of phones) {
    for (const [chatId, messages] of threadsOf(app)) {
      const chat = backend.chats.get(chatId);
      if (app && chat) yield { userId: app.userId, chatId, chat, shown: messages.filter(({ id }) => id !== null) };
    }
  }
}

const nothingMissing: ChatInvariant = {
  id: 'nothing-missing',
  promise: 'An open thread shows all messages from its oldest one on.',
  spec: ['R7'],
  settled: (world) => {
    for (const { userId, chatId, chat, shown } of openThreads(world)) {
      const from = shown[0]?.sequenceId ?? 1;
      const is = shown.map(({ sequenceId }) => sequenceId).join(', ');
      const should = chat.messages.slice(from - 1).map(({ sequenceId }) => sequenceId);
      if (is !== should.join(', '))
        return `${userId} sees ${is || 'nothing'} in ${chatId}; the server has ${should.join(', ')}.`;
    }
    return undefined;
  },
};

const statusIsTrue: ChatInvariant = {
  id: 'status-is-true',
  promise: 'Ticks tell where the other side is.',
  spec: ['R12'],
  settled: (world) => {
    for (const { userId, chat, shown } of openThreads(world)) {
      const [other] = [...chat.receipts.values()].filter((receipt) => receipt.userId !== userId);
      for (const { fromUserId, sequenceId, status, text } of shown) {
        if (fromUserId !== userId || !other || sequenceId === null) continue;
        const should = sequenceId <= other.readUpTo ? 'read' : sequenceId <= other.deliveredUpTo ? 'delivered' : 'sent';
        if (status !== should) return `"${text}" is shown as ${status}, but it is ${should}.`;
      }
    }
    return undefined;
  },
};

const marksArrive: ChatInvariant = {
  id: 'marks-arrive',
  promise: 'Whatever a phone has is delivered for the server.',
  spec: ['R11'],
  settled: (world) => {
    for (const { userId, chatId, chat } of openThreads(world)) {
      const newest = chat.messages.findLast(({ fromUserId }) => fromUserId !== userId)?.sequenceId ?? 0;
      const told = chat.receipts.get(userId)?.deliveredUpTo ?? 0;
      if (told < newest) return `${userId} has message ${newest} of ${chatId}, but ${told} counts as delivered.`;
    }
    return undefined;
  },
};

const unreadIsTrue: ChatInvariant = {
  id: 'unread-is-true',
  promise: "Unread counts equal the server's.",
  spec: ['R11'],
  settled: ({ phones, backend }) => {
    for (const { app } of phones) {
      for (const { chatId, unreadCount } of stateOf(app)?.chats ?? []) {
        const should = backend.unreadOf(chatId, app?.userId ?? '');
        if (unreadCount !== should)
          return `${app?.userId} sees ${unreadCount} unread in ${chatId}; there are ${should}.`;
      }
    }
    return undefined;
  },
};

const listIsWhole: ChatInvariant = {
  id: 'list-is-whole',
  promise: 'The list has every chat, newest activity first.',
  spec: ['R6', 'R8'],
  settled: ({ phones, backend }) => {
    for (const { app } of phones) {
      const is = (stateOf(app)?.chats ?? []).map(({ chatId, preview }) => `${chatId}: ${preview}`).join(' | ');
      const should = [...backend.chats.values()]
        .filter(({ userIds }) => app && userIds.includes(app.userId))
        .sort((a, b) => (a.lastActivity < b.lastActivity ? 1 : a.lastActivity > b.lastActivity ? -1 : 0));
      // Two chats may have been written to within one millisecond.
      const isTied = new Set(should.map(({ lastActivity }) => lastActivity)).size < should.length;
      const text = should.map(({ chatId, messages }) => `${chatId}: ${messages.at(-1)?.text ?? ''}`).join(' | ');
      if (app && !isTied && is !== text) return `${app.userId} sees the list ${is || '(empty)'}; it is ${text}.`;
    }
    return undefined;
  },
};

const filesAreWhole: ChatInvariant = {
  id: 'files-are-whole',
  promise: 'A file arrives as it was picked.',
  spec: ['R13'],
  settled: ({ backend }) => {
    for (const { messages } of backend.chats.values()) {
      for (const { text, attachments } of messages) {
        for (const [n, { url }] of attachments.entries()) {
          const file = backend.files.get(url.split('/').at(-1) ?? '');
          const picked = syntheticBytes(FILE_BYTES + n, 1 + (serialOf(text) % 3));
          let at = 0;
          for (const piece of file?.pieces ?? []) {
            if (!isSame(piece, picked, at)) return `File ${n} of "${text}" is not the one that was picked.`;
            at += piece.length;
          }
        }
      }
    }
    return undefined;
  },
};

/** Both ends and the middle tell pieces apart: these bytes have no pattern. */
const isSame = (piece: Uint8Array, whole: Uint8Array, at: number): boolean =>
  [0, piece.length >> 1, piece.length - 1].every((n) => piece[n] === whole[at + n]);

const noCopiesLeft: ChatInvariant = {
  id: 'no-copies-left',
  promise: 'No copy of a file is left once its message is sent or discarded.',
  spec: ['R13'],
  relaunched: (world) => {
    for (const { disk, app } of world.phones) {
      const needed = threadsOf(app).flatMap(([, messages]) =>
        messages.filter(({ id }) => id === null).flatMap(({ attachments }) => attachments),
      ).length;
      const copies = disk.files.list(DOCUMENTS_URI).filter((uri) => (disk.files.read(uri)?.length ?? 0) >= PIECE_BYTES);
      if (copies.length > needed) return `${copies.length} copies are left, and ${needed} are needed: ${copies[0]}.`;
    }
    return undefined;
  },
};

const shownIsStored: ChatInvariant = {
  id: 'shown-is-stored',
  promise: 'After one more launch the phones show what they showed before.',
  spec: ['R10'],
  relaunched: (world, before) => {
    for (const [n, { app }] of world.phones.entries()) {
      const earlier = before[n] as ReturnType<typeof view> | null;
      if (!app || !earlier) continue;
      const later = view(app);
      // A phone that was dead as all was mended had its threads opened only now.
      const threads = Object.entries(later.threads).filter(([chatId]) => chatId in earlier.threads);
      const was = JSON.stringify(earlier);
      const is = JSON.stringify({ ...later, threads: Object.fromEntries(threads) });
      if (was !== is) return `Before a restart phone ${n} showed ${was}, after it ${is}.`;
    }
    return undefined;
  },
};

// ---------------------------------------------------------------------------------------------------------------------

export const scenario = defineScenario<ChatModule, Shell, ChatBackend, Facts>({
  kata: 'chat',
  apiUrl: 'https://api.talk.test',
  phones: 2,
  slots: 7,
  gapsMs: [0, 5, 150, 1_500, 8_000, 40_000],
  endpoints: [LIST, EVENTS, PAGE, MESSAGE, RECEIPTS, 'POST /uploads/presign', 'GET /u/:uploadId', PUT, AUTH],
  backend: (context) => {
    const backend = createBackend(context);
    for (const chatId of new Set(Object.values(CHATS).flat())) backend.addChat(chatId, chatId.split('-'));
    for (const n of [1, 2, 3]) backend.write('ada-cy', n === 2 ? 'ada' : 'cy', `early ${n}`);
    return backend;
  },
  facts: () => {
    const person = (userId: string): Person => ({ userId, openChat: 'ada-bo', token: '', isSwitching: false });
    return { sent: [], people: [person('ada'), person('bo')], read: new Map(), picked: 0, openings: [] };
  },
  open,
  healed(stage) {
    const { app, follow } = stage;
    bringToken(stage);
    // A start that the disk has refused until now is tried once more.
    follow('start', () => app.chat.start());
    for (const chatId of CHATS[app.userId] ?? []) follow(`open ${chatId}`, () => app.chat.openChat(chatId));
  },
  close: ({ chat }) => chat.dispose(),
  view,
  actions,
  conditions: {
    offline: { weight: 2, forMs: [4_000, 90_000] },
    background: { forMs: [10_000, 120_000] },
    kill: { weight: 2, forMs: [200, 30_000] },
    clock: { byMs: [-3_600_000, 3_600_000] },
    outage: { forMs: [8_000, 60_000] },
    handover: { forMs: [10_000] },
    cacheCleared: {},
  },
  faults: {
    [MESSAGE]: [
      'request-lost',
      'response-lost',
      'hang',
      'delay',
      'duplicate',
      'truncate',
      'portal',
      'answer-401',
      'answer-422',
      'answer-429-seconds',
      'answer-503',
      'applied-then-500',
      'kill-before',
      'kill-after',
    ],
    [EVENTS]: ['response-lost', 'delay', 'answer-401', 'answer-410', 'answer-500', 'truncate', 'kill-after'],
    [LIST]: ['response-lost', 'delay', 'answer-503', 'portal', 'kill-after'],
    [PAGE]: ['response-lost', 'delay', 'answer-500', 'kill-after'],
    [RECEIPTS]: ['request-lost', 'response-lost', 'delay', 'answer-401', 'answer-503', 'kill-before'],
    [PUT]: [
      'request-lost',
      'response-lost',
      'delay',
      'answer-403',
      'answer-409',
      'answer-500',
      'kill-before',
      'kill-after',
    ],
    [AUTH]: ['response-lost', 'answer-401', 'answer-500'],
    'socket.receive': ['delay', 'duplicate', 'lost', 'drop', 'half-open', 'kill-before', 'kill-after'],
    'storage.write': ['full', 'failed', 'slow', 'kill-before', 'kill-after', 'torn'],
    push: ['lost', 'doubled', 'late'],
  },
  invariants: [
    oneRow,
    keepsItsKey,
    inOrderOnScreen,
    statusClimbs,
    ownChatsOnly,
    landsOnce,
    landsInOrder,
    landsUnderItsName,
    takenIsKept,
    nothingLeftSending,
    silentOffline,
    oneMessageAtATime,
    oneCatchUp,
    onePage,
    waitsForAToken,
    newestToken,
    receiptsAreRare,
    readByAPerson,
    noPieceTwice,
    nothingMissing,
    statusIsTrue,
    marksArrive,
    unreadIsTrue,
    listIsWhole,
    filesAreWhole,
    noCopiesLeft,
    shownIsStored,
  ],
  budgets: [
    {
      id: 'requests',
      promise: 'Few requests: one a message, one a reconnect besides the authorisation.',
      spec: ['R16'],
      measure: ({ costs }) => costs.requests,
      allowance: 1.25,
    },
    {
      id: 'receipts',
      promise: 'One mark stands for all earlier messages.',
      spec: ['R11'],
      measure: ({ requests }) => requests.filter(({ endpoint }) => endpoint === RECEIPTS).length,
      allowance: 1.5,
    },
    {
      id: 'bytes-sent',
      promise: 'Few bytes more than files have.',
      spec: ['R13'],
      measure: ({ costs }) => costs.bytesSent,
      allowance: 1.2,
    },
    {
      id: 'storage-writes',
      promise: 'Few writes a message.',
      spec: ['R7'],
      measure: ({ costs }) => costs.storageWrites,
      allowance: 4,
    },
    {
      id: 'offline-wakeups',
      promise: 'Offline hardly a timer wakes the phone.',
      spec: ['R16'],
      measure: ({ costs }) => costs.offlineWakeups,
      allowance: 1.25,
    },
  ],
  patienceMs: 170_000,
});
