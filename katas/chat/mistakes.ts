// Wrong turns that the grade must catch, each by the criterion that names it.
import type { LazyAttempt, Mistake } from '#course';

export const mistakes: Mistake[] = [
  {
    id: 'start-waits-for-the-list',
    title: 'Shows nothing before the server has answered.',
    criterion: 'goes-live',
    edits: [
      {
        find: `WHERE kind <> 'message'\``,
        replace: `WHERE kind = 'desk'\``,
      },
    ],
  },
  {
    id: 'two-pages-at-once',
    title: 'Asks for the same page of the list twice when two triggers come at once.',
    criterion: 'goes-live',
    edits: [
      {
        find: `const loadMoreChats = singleFlight(async () => {`,
        replace: `const loadMoreChats = async () => {`,
      },
      {
        find: `await readList(nextChats).catch(() => undefined);
  });`,
        replace: `await readList(nextChats).catch(() => undefined);
  };`,
      },
    ],
  },
  {
    id: 'stored-after-an-error',
    title: 'Queues a message when its first try has failed, not before it.',
    criterion: 'durable-first',
    edits: [
      {
        find: `    await ledger.commit(async ({ desk }) => {
`,
        replace: `    const files: KeptFile[] = [];
    await ledger.commit(async () => {
`,
      },
      {
        find: `      const files: KeptFile[] = [];
`,
        replace: ``,
      },
      {
        find: `      desk.unsent = [...desk.unsent, { localId, chatId, text, files, sentAt, failure: null }];
    });
`,
        replace: `    });
    (ledger.desk().unsent as Unsent[]).push({ localId, chatId, text, files, sentAt, failure: null });
    show();
    settled(null);
`,
      },
      {
        find: `    busy.delete(message.chatId);
`,
        replace: `    if (outcome?.kind === 'transient') await ledger.commit(() => undefined).catch(() => undefined);
    busy.delete(message.chatId);
`,
      },
    ],
  },
  {
    id: 'resolves-before-stored',
    title: 'Resolves send while the message is still being stored.',
    criterion: 'durable-first',
    edits: [
      {
        find: `    await ledger.commit(async ({ desk }) => {
`,
        replace: `    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stored = ledger.commit(async ({ desk }) => {
`,
      },
      {
        find: `text, files, sentAt, failure: null }];
    });
`,
        replace: `text, files, sentAt, failure: null }];
      resolve();
    });
    stored.catch(reject);
    await promise;
`,
      },
    ],
  },
  {
    id: 'new-id-per-try',
    title: 'Makes a new localId for each try, so a retry doubles.',
    criterion: 'one-identity',
    edits: [
      {
        find: `{ localId, text, attachments, sentAt }`,
        replace: `{ localId: crypto.randomUUID(), text, attachments, sentAt }`,
      },
      {
        find: `const { message: sent } = outcome.body;`,
        replace: `const sent = { ...outcome.body.message, localId: message.localId };`,
      },
    ],
  },
  {
    id: 'new-id-on-retry',
    title: 'Sends a retried message as a new one.',
    criterion: 'one-identity',
    edits: [
      {
        find: `[...desk.unsent, { ...failed, failure: null, sentAt: new Date().toISOString() }];`,
        replace: `[
        ...desk.unsent,
        { ...failed, localId: crypto.randomUUID(), failure: null, sentAt: new Date().toISOString() },
      ];`,
      },
    ],
  },
  {
    id: 'two-bubbles',
    title: 'Shows the event of an own message beside the bubble that waits for the answer.',
    criterion: 'one-row',
    edits: [
      {
        find: `    const { chatId, fromUserId, localId, sequenceId } = message;
    const chat = row(chatId);
    if (fromUserId === userId) dropUnsent(localId);
`,
        replace: `    const { chatId, fromUserId, sequenceId } = message;
    const chat = row(chatId);
`,
      },
      {
        find: `  return { desk, rows, messages, row, keep, dropUnsent,`,
        replace: `  function keepAnswer(message: Confirmed): void {
    dropUnsent(message.localId);
    keep(message);
  }

  return { desk, rows, messages, row, keep: keepAnswer, dropUnsent,`,
      },
    ],
  },
  {
    id: 'key-from-the-server',
    title: 'Keys a confirmed row by the id that the server gives, so that it is another row than before.',
    criterion: 'one-row',
    edits: [
      {
        find: `key: keyOf(fromUserId, localId), status,`,
        replace: `key: keyOf(fromUserId, message.id ?? localId), status,`,
      },
    ],
  },
  {
    id: 'failed-for-good',
    title: 'Leaves a message failed though the server turns out to have it.',
    criterion: 'one-row',
    edits: [
      {
        find: `if (fromUserId === userId) dropUnsent(localId);`,
        replace: `if (fromUserId === userId) desk.unsent = desk.unsent.filter((one) => one.failure || one.localId !== localId);`,
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
        find: `const waiting = ledger.desk().unsent.filter(({ failure }) => !failure);
`,
        replace: `const waiting = ledger.desk().unsent.filter(({ failure }) => !failure);
    waiting.sort((a, b) => a.files.length - b.files.length);
`,
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
        find: `joined.sort((a, b) => a.sequenceId - b.sequenceId);`,
        replace: `joined.sort((a, b) => (a.sentAt < b.sentAt ? -1 : 1));`,
      },
    ],
  },
  {
    id: 'page-not-stored',
    title: 'Shows a page without storing it.',
    criterion: 'history',
    edits: [
      {
        find: `    const kept = [
`,
        replace: `    const isNew = (one: Confirmed) => one.sequenceId >= (chats.get(one.chatId)?.floor ?? 0);
    const kept = [
`,
      },
      {
        find: `...messages.map((one) =>`,
        replace: `...messages.filter(isNew).map((one) =>`,
      },
    ],
  },
  {
    id: 'two-pages-of-one-thread',
    title: 'Loads an older page again while it is loading.',
    criterion: 'history',
    edits: [
      {
        find: `    if (!pages.has(chatId)) {
      pages.set(chatId, loadPage(chatId));
      show();
    }
`,
        replace: `    pages.set(chatId, loadPage(chatId));
    show();
`,
      },
    ],
  },
  {
    id: 'first-page-forgotten',
    title: 'Never loads the page that could not be had when the thread was opened.',
    criterion: 'history',
    edits: [
      {
        find: `if (answer.kind === 'refused') refused.add(chatId);`,
        replace: `if (answer.kind !== 'accepted') refused.add(chatId);`,
      },
    ],
  },
  {
    id: 'always-the-latest-page',
    title: 'Loads the latest page at each opening, though the phone has it.',
    criterion: 'history',
    edits: [
      {
        find: `    if (isOwed(chatId)) await loadOlder(chatId);
`,
        replace: `    if (!pages.has(chatId)) pages.set(chatId, loadPage(chatId, null));
    await pages.get(chatId);
`,
      },
      {
        find: `async function loadPage(chatId: string): Promise<void> {`,
        replace: `async function loadPage(chatId: string, floor = chats.get(chatId)?.floor): Promise<void> {`,
      },
      {
        find: `    const { floor } = chats.get(chatId) ?? {};
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'last-mark-wins',
    title: 'Takes the last receipt for the truth, so that a late delivered overwrites read.',
    criterion: 'status-climbs',
    edits: [
      {
        find: `[who]: highest(chat.receipts[who], marks) }`,
        replace: `[who]: marks }`,
      },
    ],
  },
  {
    id: 'listeners-left',
    title: 'Leaves its listeners behind at dispose.',
    criterion: 'good-manners',
    edits: [
      {
        find: `    for (const subscription of subscriptions.splice(0)) subscription.remove();
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'open-chat-only',
    title: 'Takes events of open chats only, so that the others stay silent.',
    criterion: 'hears-every-chat',
    edits: [
      {
        find: `      isStored = await isDone(commit(({ tellEvent }) => events.forEach(tellEvent)));
`,
        replace: `      const isShown = ({ name, data }: ChannelEvent) =>
        name !== 'message_created' || threads.has((data as { message: Confirmed }).message.chatId);
      isStored = await isDone(commit(({ tellEvent }) => events.filter(isShown).forEach(tellEvent)));
`,
      },
    ],
  },
  {
    id: 'never-asks',
    title: 'Takes what comes over the socket for all there is.',
    criterion: 'finds-gaps',
    edits: [
      {
        find: `    const answer = await api.ask<EventsPage>(`,
        replace: `    if (after > 0) return { events: [], head: after };
    const answer = await api.ask<EventsPage>(`,
      },
    ],
  },
  {
    id: 'newest-by-clock',
    title: 'Catches up by time: what is older than the newest message by its clock counts as known.',
    criterion: 'finds-gaps',
    edits: [
      {
        find: `      tellChat(chat);
      keep(message);
`,
        replace: `      tellChat(chat);
      const { chatId, sentAt } = message;
      if (sentAt < (newestAt.get(chatId) ?? '')) return;
      newestAt.set(chatId, sentAt);
      keep(message);
`,
      },
      {
        find: `export type Change = ReturnType<typeof createChange>;
`,
        replace: `export type Change = ReturnType<typeof createChange>;

const newestAt = new Map<string, string>();
`,
      },
    ],
  },
  {
    id: 'cursor-first',
    title: 'Stores the cursor before the events it stands for.',
    criterion: 'cursor-after-store',
    edits: [
      {
        find: `    const kept = [
      ['desk', '', 0, JSON.stringify(desk)],
`,
        replace: `    await db.runAsync(\`INSERT OR REPLACE INTO kept VALUES ('desk', '', 0, ?)\`, JSON.stringify(desk));
    const kept = [
`,
      },
      {
        find: `    await db.runAsync(\`INSERT OR REPLACE INTO kept VALUES \${kept`,
        replace: `    if (kept.length === 0) return;
    await db.runAsync(\`INSERT OR REPLACE INTO kept VALUES \${kept`,
      },
    ],
  },
  {
    id: 'forgets-what-a-full-disk-refused',
    title: 'Drops events that the disk did not take, and goes on with those behind them.',
    criterion: 'cursor-after-store',
    edits: [
      {
        find: `      if (isStored) heard = heard.slice(events.length);
      else pause(readGate, null);
`,
        replace: `      heard = heard.slice(events.length);
`,
      },
    ],
  },
  {
    id: 'push-ignored',
    title: 'Does not catch up on a push.',
    criterion: 'catches-up',
    edits: [
      {
        find: `setTimeout(() => isLive() && pushed > (ledger.desk().cursor ?? 0) && enterChannel(), PUSH_GRACE_MS)`,
        replace: `setTimeout(() => isLive() || goOn(), PUSH_GRACE_MS)`,
      },
    ],
  },
  {
    id: 'polls',
    title: 'Asks for events every minute.',
    criterion: 'catches-up',
    edits: [
      {
        find: `    enterChannel();
    goOn();
`,
        replace: `    const poll = setInterval(() => askEvents(channel, ledger.desk().cursor ?? 0).catch(() => undefined), 60_000);
    subscriptions.push({ remove: () => clearInterval(poll) });
    enterChannel();
    goOn();
`,
      },
    ],
  },
  {
    id: 'reading-holds-sending',
    title: 'Holds messages back for a page that could not be had.',
    criterion: 'transient-or-permanent',
    edits: [
      {
        find: `if (isOwed(chatId)) pause(readGate,`,
        replace: `if (isOwed(chatId)) pause(gate,`,
      },
    ],
  },
  {
    id: 'refused-is-retried',
    title: 'Tries a refused message again and again.',
    criterion: 'transient-or-permanent',
    edits: [
      {
        find: `if (outcome?.kind === 'refused') await giveUp(message, { code: 'refused', ...outcome.refusal });`,
        replace: `if (outcome?.kind === 'refused') return TRY_AGAIN;`,
      },
    ],
  },
  {
    id: 'failed-holds-the-chat',
    title: 'Lets a failed message hold up the others of its chat.',
    criterion: 'transient-or-permanent',
    edits: [
      {
        find: `    const waiting = ledger.desk().unsent.filter(({ failure }) => !failure);
    for (const next of headsOf(waiting, ({ chatId }) => chatId)) {`,
        replace: `    const heads = headsOf(ledger.desk().unsent, ({ chatId }) => chatId);
    for (const next of heads.filter(({ failure }) => !failure)) {`,
      },
    ],
  },
  {
    id: 'retry-keeps-its-place',
    title: 'Sends a retried message in its old place.',
    criterion: 'transient-or-permanent',
    edits: [
      {
        find: `ledger.commit(({ desk, dropUnsent }) => {`,
        replace: `ledger.commit(({ desk }) => {`,
      },
      {
        find: `      dropUnsent(localId);
      desk.unsent = [...desk.unsent, { ...failed, failure: null, sentAt: new Date().toISOString() }];
`,
        replace: `      const again = { ...failed, failure: null, sentAt: new Date().toISOString() };
      desk.unsent = desk.unsent.map((one) => (one === failed ? again : one));
`,
      },
    ],
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
        find: `{ deliveredUpTo: sequenceId })`,
        replace: `{ deliveredUpTo: sequenceId, readUpTo: sequenceId })`,
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
        find: `if (!newest || device.appState.currentState !== 'active') return;`,
        replace: `if (!newest) return;`,
      },
    ],
  },
  {
    id: 'mark-in-memory',
    title: 'Keeps the read mark in memory until the server has it.',
    criterion: 'marks-rise',
    edits: [
      {
        find: `const chat = row(chatId);
      chat.own =`,
        replace: `const chat = chats.get(chatId) ?? row(chatId);
      chat.own =`,
      },
    ],
  },
  {
    id: 'upload-from-zero',
    title: 'Begins an upload at zero, whatever the server has.',
    criterion: 'uploads-resume',
    edits: [
      {
        find: `let received = await api.askStorage(url);`,
        replace: `let received: StorageAnswer = 0;`,
      },
    ],
  },
  {
    id: 'new-upload-per-link',
    title: 'Presigns a new upload when a URL has run out.',
    criterion: 'uploads-resume',
    edits: [
      {
        find: `const link = await api.ask<{ uploadUrl: string; fileUrl: string }>('/uploads/presign', asked);`,
        replace: `const fresh = { ...asked, uploadId: \`\${file.uploadId}-\${links}\` };
      const link = await api.ask<{ uploadUrl: string; fileUrl: string }>('/uploads/presign', fresh);`,
      },
    ],
  },
  {
    id: 'picked-file-in-place',
    title: 'Uploads the picked file from the cache of the picker.',
    criterion: 'private-copy',
    edits: [
      {
        find: `uri: copy.uri, name`,
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
        find: `    removeOrphans();
    loaded();`,
        replace: `    loaded();`,
      },
      {
        find: `      const { unsent } = desk;
      try {`,
        replace: `      try {`,
      },
      {
        find: `      if (desk.unsent.length < unsent.length) removeOrphans();
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
        find: `    ...{ ask, askStorage, maySend, fetch: withToken },
`,
        replace: `    ...{ ask, askStorage, maySend },
    fetch: ((url, init) => {
      const headers = { ...(init?.headers as Record<string, string>), Authorization: \`Bearer \${accessToken}\` };
      return fetch(url, { ...init, headers });
    }) as typeof fetch,
`,
      },
    ],
  },
  {
    id: 'one-database-for-all',
    title: 'Keeps all users of the phone in one database, so the next one sends the queue of the last.',
    criterion: 'leaves-nothing',
    edits: [
      {
        find: `const name = \`chat-\${encodeURIComponent(userId)}\`;`,
        replace: `const name = 'chat';`,
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
        find: `Object.assign(row(chatId), { summary: null, floor: null });`,
        replace: `Object.assign(row(chatId), { summary: null });`,
      },
    ],
  },
  {
    id: 'late-answer-is-a-floor',
    title: 'Takes an answer from before a 410 for the place from which nothing is missing.',
    criterion: 'begins-anew',
    edits: [{ find: `if (desk.resets === resets) row(`, replace: `row(` }],
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
