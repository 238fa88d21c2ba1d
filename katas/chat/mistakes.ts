// Wrong turns that the grade must catch, each by the criterion that names it.
import type { LazyAttempt, Mistake } from '#course';

export const mistakes: Mistake[] = [
  {
    id: 'start-waits-for-the-list',
    title: 'Shows nothing before the server has answered.',
    criterion: 'goes-live',
    edits: [
      {
        find: `if (kind === 'chat') rows.set(one.chatId, one);`,
        replace: `if (kind === 'chat') continue;`,
      },
    ],
  },
  {
    id: 'two-pages-at-once',
    title: 'Asks for the same page of the list twice when two triggers come at once.',
    criterion: 'goes-live',
    edits: [
      {
        find: `const loadNext = singleFlight(async () => {`,
        replace: `const loadNext = async () => {`,
      },
      {
        find: `  });

  return { start, isLive`,
        replace: `  };

  return { start, isLive`,
      },
    ],
  },
  {
    id: 'stored-after-an-error',
    title: 'Queues a message when its first try has failed, not before it.',
    criterion: 'durable-first',
    edits: [
      {
        find: `.commit((change) => {
          const when`,
        replace: `.commit(() => {
          const when`,
      },
      {
        find: `change.unsent.push({ localId, chatId, text,`,
        replace: `(ledger.unsent as Map<string, Unsent>).set(localId, { localId, chatId, text,`,
      },
      {
        find: `const answer = await attempt(message).catch(() => TRY_AGAIN);`,
        replace: `const answer = await attempt(message).catch(() => TRY_AGAIN);
    const keep = () => ledger.commit((change) => change.unsent.push(message));
    if (answer.kind === 'transient') await keep().catch(() => undefined);`,
      },
    ],
  },
  {
    id: 'resolves-before-stored',
    title: 'Resolves send while the message is still being stored.',
    criterion: 'durable-first',
    edits: [
      {
        find: `await ledger
        .commit((change) => {
          const when`,
        replace: `void ledger
        .commit((change) => {
          const when`,
      },
      {
        find: `removeCopies(files);
          throw error;`,
        replace: `removeCopies(files);
          return error;`,
      },
    ],
  },
  {
    id: 'new-id-per-try',
    title: 'Makes a new localId for each try, so a retry doubles.',
    criterion: 'one-identity',
    edits: [
      {
        find: `const body = { localId, text, attachments, sentAt };`,
        replace: `const body = { localId: crypto.randomUUID(), text, attachments, sentAt };`,
      },
      {
        find: `change.keep(answer.body.message)`,
        replace: `change.keep({ ...answer.body.message, localId: message.localId })`,
      },
    ],
  },
  {
    id: 'new-id-on-retry',
    title: 'Sends a retried message as a new one.',
    criterion: 'one-identity',
    edits: [
      {
        find: `      change.unsent.push({ ...failed, failure: null,`,
        replace: `      change.gone.push(failed);
      change.unsent.push({ ...failed, localId: crypto.randomUUID(), failure: null,`,
      },
    ],
  },
  {
    id: 'two-bubbles',
    title: 'Shows the event of an own message beside the bubble that waits for the answer.',
    criterion: 'one-row',
    edits: [
      {
        find: `      for (const { fromUserId, localId } of change.messages) {
        const own = fromUserId === userId && unsent.get(localId);
        if (own) change.gone.push(own);
      }
`,
        replace: ``,
      },
      {
        find: `await ledger.commit((change) => change.keep(answer.body.message));`,
        replace: `await ledger.commit((change) => {
        change.keep(answer.body.message);
        change.gone.push(message);
      });`,
      },
    ],
  },
  {
    id: 'key-from-the-server',
    title: 'Keys a confirmed row by the id that the server gives, so that it is another row than before.',
    criterion: 'one-row',
    edits: [
      {
        find: `key: keyOf(message.fromUserId, message.localId), status,`,
        replace: `key: message.id, status,`,
      },
    ],
  },
  {
    id: 'failed-for-good',
    title: 'Leaves a message failed though the server turns out to have it.',
    criterion: 'one-row',
    edits: [
      {
        find: `if (own) change.gone.push(own);`,
        replace: `if (own && !own.failure) change.gone.push(own);`,
      },
    ],
  },
  {
    id: 'all-at-once',
    title: 'Sends all messages of a chat side by side.',
    criterion: 'send-order',
    edits: [
      {
        find: `for (const next of headsOf(waiting, ({ chatId }) => chatId)) {`,
        replace: `for (const next of waiting) {`,
      },
      {
        find: `busy.add(message.chatId);`,
        replace: `busy.add(message.localId);`,
      },
      {
        find: `busy.delete(message.chatId);`,
        replace: `busy.delete(message.localId);`,
      },
      {
        find: `!busy.has(next.chatId)`,
        replace: `!busy.has(next.localId)`,
      },
    ],
  },
  {
    id: 'text-overtakes-files',
    title: 'Lets a text overtake the message with files ahead of it.',
    criterion: 'send-order',
    edits: [
      {
        find: `const waiting = inSendOrder().filter(({ failure }) => !failure);`,
        replace: `const waiting = inSendOrder().filter(({ failure }) => !failure);
    waiting.sort((a, b) => a.files.length - b.files.length);`,
      },
    ],
  },
  {
    id: 'a-lane-for-every-chat',
    title: 'Sends to any number of chats side by side.',
    criterion: 'send-order',
    edits: [{ find: `const LANES = 3;`, replace: `const LANES = 30;` }],
  },
  {
    id: 'sorted-by-clock',
    title: 'Sorts a thread by sentAt.',
    criterion: 'order-on-screen',
    edits: [
      {
        find: `thread.rows = [...known.values()].sort((a, b) => a.sequenceId - b.sequenceId);`,
        replace: `thread.rows = [...known.values()].sort((a, b) => (a.sentAt < b.sentAt ? -1 : 1));`,
      },
    ],
  },
  {
    id: 'page-not-stored',
    title: 'Shows a page without storing it.',
    criterion: 'history',
    edits: [
      {
        find: `      for (const message of messages) change.keep(message);
      const row`,
        replace: `      for (const message of thread ? messages.slice(0, 1) : []) change.keep(message);
      if (thread) thread.rows = [...messages.toReversed(), ...thread.rows];
      const row`,
      },
    ],
  },
  {
    id: 'two-pages-of-one-thread',
    title: 'Loads an older page again while it is loading.',
    criterion: 'history',
    edits: [
      {
        find: `    if (!loading.has(chatId) && hasOlder(chatId)) {`,
        replace: `    if (hasOlder(chatId)) {`,
      },
    ],
  },
  {
    id: 'first-page-forgotten',
    title: 'Never loads the page that could not be had when the thread was opened.',
    criterion: 'history',
    edits: [
      {
        find: `if (isWanting && !loading.has(chatId)) void loadFirst(chatId);`,
        replace: `if (isWanting) loading.delete(chatId);`,
      },
    ],
  },
  {
    id: 'always-the-latest-page',
    title: 'Loads the latest page at each opening, though the phone has it.',
    criterion: 'history',
    edits: [
      {
        find: `boolean => rows.length < PAGE && hasOlder(chatId);`,
        replace: `boolean => rows.length >= 0 && hasOlder(chatId);`,
      },
    ],
  },
  {
    id: 'last-mark-wins',
    title: 'Takes the last receipt for the truth, so that a late delivered overwrites read.',
    criterion: 'status-climbs',
    edits: [
      {
        find: `  return [...userIds].map((userId) => ({ userId, ...marksOf([...known, ...told], userId) }));`,
        replace: `  return [...userIds].map((userId) => {
    const isTold = told.some((receipt) => receipt.userId === userId);
    return { userId, ...marksOf(isTold ? told : known, userId) };
  });`,
      },
    ],
  },
  {
    id: 'listeners-left',
    title: 'Leaves its listeners behind at dispose.',
    criterion: 'good-manners',
    edits: [{ find: `    for (const stop of stops.splice(0)) stop();\n`, replace: `` }],
  },
  {
    id: 'open-chat-only',
    title: 'Takes events of open chats only, so that the others stay silent.',
    criterion: 'hears-every-chat',
    edits: [
      {
        find: `const stream = createStream(core, connectionChanged);`,
        replace: `const stream = createStream(core, connectionChanged, (chatId) => threads.open.has(chatId));`,
      },
      {
        find: `ledger, api }: Core, changed: () => void) {`,
        replace: `ledger, api }: Core, changed: () => void, isOpen: (chatId: string) => boolean) {`,
      },
      {
        find: `if (event.seq > upTo) apply(change, event);`,
        replace: `if (event.seq > upTo) apply(change, event, isOpen);`,
      },
      {
        find: `{ name, data, seq }: StreamEvent): void {`,
        replace: `{ name, data, seq }: StreamEvent, isOpen: (chatId: string) => boolean): void {`,
      },
      {
        find: `if (name === 'message_created' && isMessageCreated(data)) {`,
        replace: `if (name === 'message_created' && isMessageCreated(data) && isOpen(data.message.chatId)) {`,
      },
    ],
  },
  {
    id: 'never-asks',
    title: 'Takes what comes over the socket for all there is.',
    criterion: 'finds-gaps',
    edits: [
      {
        find: `    const answer = await api.ask(\`/chat/all/after?`,
        replace: `    if (isLive() || lastHeard > 0) return { events: [], head: after };
    const answer = await api.ask(\`/chat/all/after?`,
      },
    ],
  },
  {
    id: 'newest-by-clock',
    title: 'Catches up by time: what is older than the newest message by its clock counts as known.',
    criterion: 'finds-gaps',
    edits: [
      {
        find: `    change.keep(data.message);
    tell(`,
        replace: `    const { chatId, sentAt } = data.message;
    if (sentAt >= (newestAt.get(chatId) ?? '')) {
      newestAt.set(chatId, sentAt);
      change.keep(data.message);
    }
    tell(`,
      },
      {
        find: `type ReceiptUpdate =`,
        replace: `const newestAt = new Map<string, string>();

type ReceiptUpdate =`,
      },
    ],
  },
  {
    id: 'cursor-first',
    title: 'Stores the cursor before the events it stands for.',
    criterion: 'cursor-after-store',
    edits: [
      {
        find: `        let taken = 0;
`,
        replace: `        const upTo = ledger.position().cursor ?? 0;
        await ledger.commit((change) => {
          change.position = { ...change.position, cursor: heard.at(-1)?.seq ?? upTo };
        });
        let taken = 0;
`,
      },
      {
        find: `          const upTo = ledger.position().cursor ?? Number.POSITIVE_INFINITY;
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'forgets-what-a-full-disk-refused',
    title: 'Drops events that the disk did not take, and goes on with those behind them.',
    criterion: 'cursor-after-store',
    edits: [
      {
        find: `      if (!ledger.isOver()) flushTimer = setTimeout(() => void flush(), FLUSH_AGAIN_MS * Math.random());`,
        replace: `      heard = [];`,
      },
    ],
  },
  {
    id: 'push-ignored',
    title: 'Does not catch up on a push.',
    criterion: 'catches-up',
    edits: [{ find: `if (typeof seq !== 'number') return;`, replace: `if (seq !== -1) return;` }],
  },
  {
    id: 'polls',
    title: 'Asks for events every minute.',
    criterion: 'catches-up',
    edits: [
      {
        find: `    const foreground = appState.addEventListener(`,
        replace: `    const poll = setInterval(() => void api.ask(\`/chat/all/after?seq=\${lastHeard}\`, isEventsPage), 60_000);
    stops.push(() => clearInterval(poll));
    const foreground = appState.addEventListener(`,
      },
    ],
  },
  {
    id: 'refused-is-retried',
    title: 'Tries a refused message again and again.',
    criterion: 'transient-or-permanent',
    edits: [
      {
        find: `    if (verdict.kind !== 'accepted') return verdict;`,
        replace: `    if (verdict.kind === 'refused' && [403, 422].includes(verdict.refusal.status)) return TRY_AGAIN;
    if (verdict.kind !== 'accepted') return verdict;`,
      },
    ],
  },
  {
    id: 'failed-holds-the-chat',
    title: 'Lets a failed message hold up the others of its chat.',
    criterion: 'transient-or-permanent',
    edits: [
      {
        find: `    const waiting = inSendOrder().filter(({ failure }) => !failure);
    for (const next of headsOf(waiting, ({ chatId }) => chatId)) {`,
        replace: `    const heads = headsOf(inSendOrder(), ({ chatId }) => chatId);
    for (const next of heads.filter(({ failure }) => !failure)) {`,
      },
    ],
  },
  {
    id: 'retry-keeps-its-place',
    title: 'Sends a retried message in its old place.',
    criterion: 'transient-or-permanent',
    edits: [{ find: `failure: null, place: nextPlace(), sinceMs`, replace: `failure: null, sinceMs` }],
  },
  {
    id: 'never-expires',
    title: 'Sends a message of yesterday as if nothing had happened.',
    criterion: 'transient-or-permanent',
    edits: [{ find: `const EXPIRES_MS = 24 * 3_600_000;`, replace: `const EXPIRES_MS = Number.POSITIVE_INFINITY;` }],
  },
  {
    id: 'read-on-arrival',
    title: 'Marks everything as read on arrival.',
    criterion: 'marks-rise',
    edits: [
      {
        find: `edit(chatId, { own: { ...own, deliveredUpTo }, floor`,
        replace: `edit(chatId, { own: { deliveredUpTo, readUpTo: deliveredUpTo }, floor`,
      },
    ],
  },
  {
    id: 'a-receipt-per-message',
    title: 'Sends a receipt for each message.',
    criterion: 'marks-rise',
    edits: [{ find: `const RECEIPTS_EVERY_MS = 1_000;`, replace: `const RECEIPTS_EVERY_MS = 0;` }],
  },
  {
    id: 'read-in-the-background',
    title: 'Takes a message for read while the app is in the background.',
    criterion: 'marks-rise',
    edits: [
      {
        find: `device.appState.currentState !== 'active' || `,
        replace: ``,
      },
    ],
  },
  {
    id: 'mark-in-memory',
    title: 'Keeps the read mark in memory until the server has it.',
    criterion: 'marks-rise',
    edits: [
      {
        find: `...[...change.rows.values()].map((row) => ['chat', row.chatId, 0, JSON.stringify(row)]),`,
        replace: `...[...change.rows.values()].map((row) => {
        const own = marksOf(row.receipts, userId);
        return ['chat', row.chatId, 0, JSON.stringify({ ...row, own })];
      }),`,
      },
      {
        find: `type Confirmed, NO_MARKS, type Position, type Unsent } from`,
        replace: `type Confirmed, marksOf, NO_MARKS, type Position, type Unsent } from`,
      },
    ],
  },
  {
    id: 'upload-from-zero',
    title: 'Begins an upload at zero, whatever the server has.',
    criterion: 'uploads-resume',
    edits: [
      {
        find: `    let received = await api.askStorage(url, { method: 'GET' });`,
        replace: `    let received = 0 as number | 'expired' | Answer<never>;`,
      },
    ],
  },
  {
    id: 'new-upload-per-link',
    title: 'Presigns a new upload when a URL has run out.',
    criterion: 'uploads-resume',
    edits: [
      {
        find: `isLink, { uploadId, name,`,
        replace: `isLink, { uploadId: \`\${uploadId}-\${links}\`, name,`,
      },
    ],
  },
  {
    id: 'picked-file-in-place',
    title: 'Uploads the picked file from the cache of the picker.',
    criterion: 'private-copy',
    edits: [
      {
        find: `uri: copies.file(uploadId).uri, name`,
        replace: `uri, name`,
      },
    ],
  },
  {
    id: 'copies-left',
    title: 'Leaves the private copies of sent files behind.',
    criterion: 'private-copy',
    edits: [
      {
        find: `    outbox.removeCopies(change.gone.flatMap(({ files }) => files));
`,
        replace: ``,
      },
      {
        find: `    outbox.removeOrphans();
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'goes-on-after-401',
    title: 'Goes on sending with a token that was refused.',
    criterion: 'waits-for-token',
    edits: [
      {
        find: `      isSessionOver = true;
      sessionEnded();`,
        replace: `      gate.failed(null);`,
      },
    ],
  },
  {
    id: 'old-token-on-resubscribe',
    title: 'Authorises the channel with the token of the launch.',
    criterion: 'waits-for-token',
    edits: [
      {
        find: `    fetch: ((input, init) => withToken(String(input), init ?? {})) as typeof fetch,`,
        replace: `    fetch: ((input, init) => {
      const headers = { ...(init?.headers as Record<string, string>), Authorization: \`Bearer \${accessToken}\` };
      return fetch(input, { ...init, headers });
    }) as typeof fetch,`,
      },
    ],
  },
  {
    id: 'one-database-for-all',
    title: 'Keeps all users of the phone in one database, so the next one sends the queue of the last.',
    criterion: 'leaves-nothing',
    edits: [
      {
        find: `name: \`chat-\${encodeURIComponent(userId)}.db\``,
        replace: `name: 'chat.db'`,
      },
    ],
  },
  {
    id: 'signed-out-but-stored',
    title: 'Leaves what is stored where it is at a sign-out.',
    criterion: 'leaves-nothing',
    edits: [
      {
        find: `      await database.remove();
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'hole-hidden',
    title: 'Goes on after a 410 as if nothing were missing.',
    criterion: 'begins-anew',
    edits: [
      {
        find: `      change.isReset = true;
`,
        replace: ``,
      },
      {
        find: `change.edit(chatId, { summary: null, asOf: 0, floor: null });`,
        replace: `change.edit(chatId, { asOf: 0 });`,
      },
    ],
  },
];

const HEAD = `import type { ChatState, CreateChat, Message } from '#contract/chat';\n`;
const EMPTY = `const state: ChatState = { connection: 'connecting', chats: [], hasMoreChats: false, threads: {} };`;
const methods = (body: string): string =>
  ['start', 'signOut', 'loadMoreChats', 'openChat', 'loadOlder', 'closeChat', 'send', 'retry', 'discard', 'markRead']
    .map((name) => `  ${name}: () => ${body},`)
    .join('\n');

const lazyChat = (body: string): string => `${HEAD}
${EMPTY}
export const createChat: CreateChat = () => ({
${methods(body)}
  setToken: () => undefined,
  getState: () => state,
  subscribe: () => () => undefined,
  dispose: () => undefined,
});
`;

export const lazy: LazyAttempt[] = [
  {
    id: 'does-nothing',
    title: 'Resolves everything and does nothing.',
    source: lazyChat(`Promise.resolve({ localId: 'none' }) as Promise<never>`),
  },
  {
    id: 'throws',
    title: 'Rejects everything.',
    source: lazyChat(`Promise.reject(new Error('no'))`),
  },
  {
    id: 'never-resolves',
    title: 'Never resolves anything.',
    source: lazyChat(`new Promise<never>(() => undefined)`),
  },
  {
    id: 'tight-loop',
    title: 'Sends each message again and again until it is answered with success.',
    source: `${HEAD}
${EMPTY}
export const createChat: CreateChat = ({ apiUrl, accessToken }) => ({
  start: async () => undefined,
  setToken: () => undefined,
  signOut: async () => undefined,
  loadMoreChats: async () => undefined,
  openChat: async () => undefined,
  loadOlder: async () => undefined,
  closeChat: async () => undefined,
  async send(chatId, { text = '' }) {
    const localId = crypto.randomUUID();
    const body = JSON.stringify({ localId, text, attachments: [], sentAt: new Date().toISOString() });
    const headers = { Authorization: 'Bearer ' + accessToken };
    for (let isSent = false; !isSent; ) {
      isSent = await fetch(apiUrl + '/chat/' + chatId + '/message', { method: 'POST', headers, body }).then(
        ({ ok }) => ok,
        () => false,
      );
    }
    return { localId };
  },
  retry: async () => undefined,
  discard: async () => undefined,
  markRead: async () => undefined,
  getState: () => state,
  subscribe: () => () => undefined,
  dispose: () => undefined,
});
`,
  },
  {
    id: 'by-heart',
    title: 'Knows the examples of the suite: all in memory, one try, and what each example wants to see.',
    source: `${HEAD}
export const createChat: CreateChat = ({ apiUrl, accessToken, userId }) => {
  let token = accessToken;
  let state: ChatState = { connection: 'live', chats: [], hasMoreChats: false, threads: {} };
  const listeners = new Set<() => void>();
  const show = (change: Partial<ChatState>) => {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  };
  const get = async (path: string) => {
    const headers = { Authorization: 'Bearer ' + token };
    const answer = await fetch(apiUrl + path, { headers }).catch(() => null);
    return answer?.ok ? answer.json() : null;
  };
  const put = (chatId: string, messages: readonly Message[]) =>
    show({ threads: { ...state.threads, [chatId]: { messages, hasOlder: false, loadingOlder: false } } });
  return {
    start: async () => {
      void get('/chat/all?limit=15').then((page) => page && show({ chats: page.chats }));
    },
    setToken: (next) => {
      token = next;
    },
    signOut: async () => show({ chats: [], threads: {} }),
    loadMoreChats: async () => undefined,
    openChat: async (chatId) => {
      const page = await get('/chat/' + chatId + '/all?limit=50');
      const rows: Omit<Message, 'key' | 'status'>[] = page?.messages.reverse() ?? [];
      put(chatId, rows.map((row) => ({ ...row, key: row.localId, status: 'sent', progress: null, failure: null })));
    },
    loadOlder: async () => undefined,
    closeChat: async (chatId) => {
      const { [chatId]: _closed, ...threads } = state.threads;
      show({ threads });
    },
    send: async (chatId, { text = '' }) => {
      if (text === '') throw Object.assign(new Error('empty'), { code: 'empty' });
      const localId = crypto.randomUUID();
      const sentAt = new Date().toISOString();
      const own = { key: localId, id: null, localId, chatId, fromUserId: userId, text, attachments: [], sentAt };
      const row: Message = { ...own, sequenceId: null, status: 'sending', progress: null, failure: null };
      put(chatId, [...(state.threads[chatId]?.messages ?? []), row]);
      const body = JSON.stringify({ localId, text, attachments: [], sentAt });
      const headers = { Authorization: 'Bearer ' + token };
      void fetch(apiUrl + '/chat/' + chatId + '/message', { method: 'POST', headers, body }).catch(() => null);
      return { localId };
    },
    retry: async () => Promise.reject(Object.assign(new Error('not-found'), { code: 'not-found' })),
    discard: async () => Promise.reject(Object.assign(new Error('not-found'), { code: 'not-found' })),
    markRead: async () => undefined,
    getState: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    dispose: () => undefined,
  };
};
`,
  },
];
