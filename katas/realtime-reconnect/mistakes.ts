// Wrong attempts that the grade must catch: edits of the reference, and attempts that do not even try.
import type { LazyAttempt, Mistake } from '#course';

export const mistakes: Mistake[] = [
  {
    id: 'text-only',
    title: 'Expects data to be JSON text, and hands an object on as if nothing had come.',
    criterion: 'delivers-live',
    edits: [
      {
        find: `data: typeof data === 'string' ? (parseJson(data) ?? data) : data };`,
        replace: `data: parseJson(String(data)) };`,
      },
    ],
  },
  {
    id: 'text-left-as-text',
    title: 'Hands data on as the text it came as.',
    criterion: 'delivers-live',
    edits: [
      {
        find: `data: typeof data === 'string' ? (parseJson(data) ?? data) : data };`,
        replace: `data: event.startsWith('pusher') && typeof data === 'string' ? parseJson(data) : data };`,
      },
    ],
  },
  {
    id: 'protocol-handed-on',
    title: 'Hands on to features what belongs to the protocol.',
    criterion: 'delivers-live',
    edits: [{ find: `if (/^pusher(?:_internal)?:/.test(name)) return;`, replace: `` }],
  },
  {
    id: 'second-handler',
    title: 'Puts the second handler of a channel in place of the first.',
    criterion: 'joins-once',
    edits: [
      {
        find: `if (channels.has(name)) throw new Error(\`join: \${name} is joined already, and has one handler. Leave it first.\`);`,
        replace: ``,
      },
    ],
  },
  {
    id: 'never-unsubscribes',
    title: 'Leaves a channel without telling the server.',
    criterion: 'joins-once',
    edits: [
      { find: `channels.delete(channel.name);\n    unsubscribe(channel);`, replace: `channels.delete(channel.name);` },
    ],
  },
  {
    id: 'leaves-the-next-one',
    title: 'Leaves a second time, and takes away the handler that has joined since.',
    criterion: 'joins-once',
    edits: [{ find: `if (channels.get(channel.name) !== channel) return;`, replace: `` }],
  },
  {
    id: 'sends-anything',
    title: 'Sends events whose names only a server may use.',
    criterion: 'sends-when-live',
    edits: [{ find: ` || !event.startsWith('client-')) return false;`, replace: `) return false;` }],
  },
  {
    id: 'sends-before-live',
    title: 'Says that an event was sent on a channel that it was never let into.',
    criterion: 'sends-when-live',
    edits: [{ find: `channels.statusOf(name) !== 'live'`, replace: `channels.statusOf(name) === null` }],
  },
  {
    id: 'old-socket-stays',
    title: 'Opens the next socket without closing the last one, which goes on delivering.',
    criterion: 'one-socket',
    edits: [
      { find: `old.socket.close();`, replace: `` },
      { find: `if (link === own) receive(own, String(data));`, replace: `receive(own, String(data));` },
    ],
  },
  {
    id: 'waits-for-ever-to-connect',
    title: 'Puts no limit on a try.',
    criterion: 'one-socket',
    edits: [{ find: `const CONNECT_MS = 10_000;`, replace: `const CONNECT_MS = 3_600_000;` }],
  },
  {
    id: 'open-is-enough',
    title: 'Takes an open socket for a connection, and puts no limit on the greeting.',
    criterion: 'one-socket',
    edits: [
      {
        find: `own.socket.addEventListener('close', (`,
        replace: `own.socket.onopen = () => clearTimeout(own.timer);\n    own.socket.addEventListener('close', (`,
      },
    ],
  },
  {
    id: 'gives-up',
    title: 'Does not come back after a break.',
    criterion: 'comes-back',
    edits: [
      {
        find: `pauseTimer = setTimeout(open, backoffMs(breaks) + (isWithin(code, 4100) ? BACKOFF_FIRST_MS : 0));`,
        replace: ``,
      },
    ],
  },
  {
    id: 'pause-too-long',
    title: 'Begins its pauses at a minute.',
    criterion: 'comes-back',
    edits: [
      { find: `const BACKOFF_FIRST_MS = 1_000;`, replace: `const BACKOFF_FIRST_MS = 60_000;` },
      { find: `const BACKOFF_CAP_MS = 30_000;`, replace: `const BACKOFF_CAP_MS = 300_000;` },
    ],
  },
  {
    id: 'pause-never-grows',
    title: 'Pauses for up to a second, however long the server has been away.',
    criterion: 'backs-off',
    edits: [{ find: `fullJitterMs(tries, BACKOFF_FIRST_MS,`, replace: `fullJitterMs(1, BACKOFF_FIRST_MS,` }],
  },
  {
    id: 'pause-without-bound',
    title: 'Doubles the pause without an end.',
    criterion: 'backs-off',
    edits: [{ find: `const BACKOFF_CAP_MS = 30_000;`, replace: `const BACKOFF_CAP_MS = 36_000_000;` }],
  },
  {
    id: 'count-reset-on-connect',
    title: 'Begins the count anew with each connection, so that accept-and-drop loops fast.',
    criterion: 'backs-off',
    edits: [{ find: `const STABLE_MS = 10_000;`, replace: `const STABLE_MS = 0;` }],
  },
  {
    id: 'count-never-reset',
    title: 'Never begins the count anew, so that tomorrow pays for today.',
    criterion: 'backs-off',
    edits: [{ find: `>= STABLE_MS) breaks = 0;`, replace: `>= STABLE_MS) breaks += 0;` }],
  },
  {
    id: 'comes-back-after-4001',
    title: 'Comes back for ever to a server that has said no.',
    criterion: 'obeys-close-codes',
    edits: [{ find: `if (isWithin(code, 4000)) {`, replace: `if (code === 4000) {` }],
  },
  {
    id: 'hurries-after-4100',
    title: 'Comes back at once to a server that is over its capacity.',
    criterion: 'obeys-close-codes',
    edits: [{ find: ` + (isWithin(code, 4100) ? BACKOFF_FIRST_MS : 0)`, replace: `` }],
  },
  {
    id: 'dawdles-after-4200',
    title: 'Pauses although the server has asked it to come back at once.',
    criterion: 'obeys-close-codes',
    edits: [{ find: `if (isWithin(code, 4200) && breaks === 1) {`, replace: `if (code === 4299 && breaks === 1) {` }],
  },
  {
    id: 'no-heartbeat',
    title: 'Never asks whether the line is alive.',
    criterion: 'heartbeat',
    edits: [{ find: `limit(own, own.activityMs, () => ping(own));`, replace: `clearTimeout(own.timer);` }],
  },
  {
    id: 'pings-without-an-end',
    title: 'Pings, and does not mind that nobody answers.',
    criterion: 'heartbeat',
    edits: [
      {
        find: `limit(own, PONG_MS, () => lose(BROKEN));`,
        replace: `limit(own, PONG_MS, () => {
      own.isPinged = false;
      ping(own);
    });`,
      },
    ],
  },
  {
    id: 'own-idea-of-quiet',
    title: 'Does not look at the activity timeout that the server gives.',
    criterion: 'heartbeat',
    edits: [{ find: `(Number(data.activity_timeout) || ACTIVITY_TIMEOUT_S)`, replace: `ACTIVITY_TIMEOUT_S` }],
  },
  {
    id: 'pings-unanswered',
    title: 'Does not answer pings.',
    criterion: 'heartbeat',
    edits: [{ find: `tell(own, 'pusher:pong', {});`, replace: `` }],
  },
  {
    id: 'limit-begins-anew',
    title: 'Begins the 30 s anew with each change of network, so that a moving phone never finds out.',
    criterion: 'heartbeat',
    edits: [{ find: `if (own.isPinged) return;`, replace: `` }],
  },
  {
    id: 'trusts-the-old-line',
    title: 'Does not ask whether the line has survived a change of network.',
    criterion: 'heartbeat',
    edits: [{ find: `else if (link.socketId !== null) ping(link);`, replace: `` }],
  },
  {
    id: 'tries-in-aeroplane-mode',
    title: 'Tries to connect while the phone is offline.',
    criterion: 'silent-offline',
    edits: [
      {
        find: `drop();
      show('offline');
      return;`,
        replace: `if (!link) open();
      return;`,
      },
    ],
  },
  {
    id: 'sleeps-through-the-network',
    title: 'Waits out its pause although another network is there.',
    criterion: 'silent-offline',
    edits: [
      {
        find: `if (isAsleep() || (before?.isConnected && before.type === state.type)) return;`,
        replace: `if (isAsleep() || before?.isConnected) return;`,
      },
    ],
  },
  {
    id: 'any-news-ends-a-pause',
    title: 'Ends its pause whenever netInfo says anything.',
    criterion: 'silent-offline',
    edits: [
      {
        find: `if (isAsleep() || (before?.isConnected && before.type === state.type)) return;`,
        replace: `if (isAsleep() || (link && before?.type === state.type)) return;`,
      },
    ],
  },
  {
    id: 'subscriptions-forgotten',
    title: 'Subscribes once, and not again after a break.',
    criterion: 'renews-subscriptions',
    edits: [
      {
        find: `if (channel.status !== 'denied') void enter(channel, own);`,
        replace: `if (channel.status !== 'denied' && channel.visit.signal.aborted === false) void enter(channel, own);`,
      },
    ],
  },
  {
    id: 'old-auth',
    title: 'Keeps the auth of a channel, which is good for one connection.',
    criterion: 'renews-subscriptions',
    edits: [
      {
        find: `const body = \`socket_id=`,
        replace: `const kept = authOf.get(name);
    if (kept) return kept;
    const body = \`socket_id=`,
      },
      {
        find: `return isObject(answer) ? answer : null;`,
        replace: `if (isObject(answer)) authOf.set(name, answer);
      return authOf.get(name) ?? null;`,
      },
      {
        find: `const channels = new Map<string, Channel>();`,
        replace: `const channels = new Map<string, Channel>();
  const authOf = new Map<string, object>();`,
      },
    ],
  },
  {
    id: 'own-fetch',
    title: 'Sends its requests past the fetch that carries the session.',
    criterion: 'renews-subscriptions',
    edits: [{ find: `const request = given.fetch ?? fetch;`, replace: `const request = fetch;` }],
  },
  {
    id: 'denied-stops-all',
    title: 'Gives up the connection when one channel is denied.',
    criterion: 'denied-alone',
    edits: [
      {
        find: `        showChannel(channel, 'denied');
        return;`,
        replace: `        channel.status = 'denied';
        halt('refused');
        return;`,
      },
      { find: `show: () => void) {`, replace: `show: () => void, halt: (why: 'refused') => void) {` },
      { find: `() => link.current(), show)`, replace: `() => link.current(), show, (why) => link.halt(why))` },
    ],
  },
  {
    id: 'denied-asks-again',
    title: 'Asks again for a channel that was denied, with each connection.',
    criterion: 'denied-alone',
    edits: [
      { find: `if (channel.status !== 'denied') void enter(channel, own);`, replace: `void enter(channel, own);` },
      { find: `if (channel.status !== 'denied') channel.status = 'pending';`, replace: `channel.status = 'pending';` },
    ],
  },
  {
    id: 'auth-asked-once',
    title: 'Leaves a channel pending when its auth has failed once.',
    criterion: 'auth-again',
    edits: [
      {
        find: `await pause(backoffMs(tries), channel);`,
        replace: `return;`,
      },
    ],
  },
  {
    id: 'subscription-unanswered',
    title: 'Waits for ever for the answer to a subscription.',
    criterion: 'auth-again',
    edits: [{ find: `const SUBSCRIBE_MS = 10_000;`, replace: `const SUBSCRIBE_MS = 36_000_000;` }],
  },
  {
    id: 'late-auth-used',
    title: 'Subscribes on the new connection with an auth that was made for the old one.',
    criterion: 'auth-again',
    edits: [
      { find: `if (signal.aborted || auth === null) return false;`, replace: `if (auth === null) return false;` },
      {
        find: `tell(own, 'pusher:subscribe', { channel: name, ...auth });`,
        replace: `tell(current() ?? own, 'pusher:subscribe', { channel: name, ...auth });`,
      },
      { find: `{ method: 'POST', headers, body, signal }`, replace: `{ method: 'POST', headers, body }` },
    ],
  },
  {
    id: 'history-first',
    title: 'Asks for history and then subscribes, so that what is published in between is lost for now.',
    criterion: 'subscribes-first',
    edits: [
      {
        find: `channel.subscription = 'asked';
    tell(`,
        replace: `channel.subscription = 'asked';
    if (channel.isNumbered) await inTurn(channel, () => ask(channel, signal));
    if (signal.aborted) return false;
    tell(`,
      },
      {
        find: `channel.isUnsure = true;
    if (channel.status !== 'catching-up') void catchUp(channel);`,
        replace: `showChannel(channel, 'live');`,
      },
    ],
  },
  {
    id: 'asks-from-the-start',
    title: 'Asks for all events there are, and not for those after the last one given.',
    criterion: 'subscribes-first',
    edits: [
      {
        find: `const query = \`after=\${after}&limit=\${PAGE_SIZE}\`;`,
        replace: `const query = \`after=0&limit=\${PAGE_SIZE + 0 * after}\`;`,
      },
    ],
  },
  {
    id: 'asks-by-time',
    title: 'Asks for what was published since it last heard something, by the clock.',
    criterion: 'subscribes-first',
    edits: [
      {
        find: `const query = \`after=\${after}&limit=\${PAGE_SIZE}\`;`,
        replace: `const query = \`since=\${Date.now() - 60_000 + 0 * after}&limit=\${PAGE_SIZE}\`;`,
      },
    ],
  },
  {
    id: 'one-page',
    title: 'Takes the first page of history for all of it.',
    criterion: 'subscribes-first',
    edits: [
      {
        find: `for (let failures = 0; channel.isUnsure || isBehind(channel); ) {`,
        replace: `for (let failures = 0; channel.isUnsure; ) {`,
      },
    ],
  },
  {
    id: 'not-held',
    title: 'Drops what comes while it catches up, and believes itself at the head.',
    criterion: 'subscribes-first',
    edits: [
      {
        find: `else {
      take(channel, { name, data, seq }, seq);`,
        replace: `else if (channel.status !== 'catching-up') {
      take(channel, { name, data, seq }, seq);`,
      },
    ],
  },
  {
    id: 'gap-skipped',
    title: 'Gives a later event although earlier ones are missing.',
    criterion: 'no-gaps',
    edits: [
      {
        find: `if (seq > channel.last + 1) {
      if (channel.held.size < HELD_MAX) channel.held.set(seq, event);
      return;
    }`,
        replace: ``,
      },
    ],
  },
  {
    id: 'gap-waits',
    title: 'Sees a gap and waits for the next connection to fill it.',
    criterion: 'no-gaps',
    edits: [
      {
        find: `      take(channel, { name, data, seq }, seq);
      note(channel, seq);`,
        replace: `      take(channel, { name, data, seq }, seq);`,
      },
    ],
  },
  {
    id: 'given-twice',
    title: 'Gives an event each time it comes.',
    criterion: 'no-repeats',
    edits: [
      {
        find: `if (seq <= channel.last) return;`,
        replace: ``,
      },
    ],
  },
  {
    id: 'greeted-twice',
    title: 'Takes a greeting that comes twice for a second connection.',
    criterion: 'no-repeats',
    edits: [{ find: `if (own.socketId !== null || !isObject(data)) return;`, replace: `if (!isObject(data)) return;` }],
  },
  {
    id: 'head-ignored',
    title: 'Does not look at head, so that a lost last event is never noticed.',
    criterion: 'notices-silent-loss',
    edits: [{ find: `if (name === 'head') note(channel, seq ?? 0);`, replace: `if (name === 'head') return;` }],
  },
  {
    id: 'questions-pile-up',
    title: 'Asks once more for each later event while the first question is out.',
    criterion: 'one-request',
    edits: [
      {
        find: `if (channel.status === 'live' && isBehind(channel)) void catchUp(channel);`,
        replace: `if (isBehind(channel)) void catchUp(channel);`,
      },
      {
        find: `const turn = channel.turn.then(job).catch(() => false);`,
        replace: `const turn = job().catch(() => false);`,
      },
    ],
  },
  {
    id: 'history-asked-once',
    title: 'Takes a failed question for an answer.',
    criterion: 'one-request',
    edits: [{ find: `if (!isAnswered) channel.isUnsure = true;`, replace: `if (!isAnswered) channel.newest = 0;` }],
  },
  {
    id: 'asks-without-a-pause',
    title: 'Asks again in the same moment when a question has failed.',
    criterion: 'one-request',
    edits: [{ find: `if (failures > 0) await pause(backoffMs(failures), channel);`, replace: `` }],
  },
  {
    id: 'sleeps-on',
    title: 'Trusts the socket it had before a night in the background.',
    criterion: 'outlives-the-background',
    edits: [{ find: `if (wasAsleep && network?.isConnected) open();`, replace: `` }],
  },
  {
    id: 'never-trusts-a-return',
    title: 'Begins anew after each moment in the background.',
    criterion: 'outlives-the-background',
    edits: [{ find: `if (wasAsleep && network?.isConnected) open();`, replace: `if (network?.isConnected) open();` }],
  },
  {
    id: 'gone-ignored',
    title: 'Takes 410 for an answer without events, so that a hole stays.',
    criterion: 'reloads-when-gone',
    edits: [
      {
        find: `      await startOver(channel);
      // What has been published since the feature looked comes by history.
      return false;`,
        replace: `      return true;`,
      },
    ],
  },
  {
    id: 'reload-result-ignored',
    title: 'Lets the feature load anew and goes on from the old number.',
    criterion: 'reloads-when-gone',
    edits: [{ find: `channel.last = last;\n`, replace: `` }],
  },
  {
    id: 'unnumbered-never-reload',
    title: 'Does not tell a channel without numbers that it may have missed something.',
    criterion: 'reloads-when-gone',
    edits: [{ find: `void reload(channel).catch(() => undefined);`, replace: `` }],
  },
  {
    id: 'fixed-pause',
    title: 'Pauses for the same time on every phone.',
    criterion: 'spreads-the-herd',
    edits: [
      {
        find: `fullJitterMs(tries, BACKOFF_FIRST_MS, BACKOFF_CAP_MS);`,
        replace: `Math.min(BACKOFF_CAP_MS, BACKOFF_FIRST_MS * 2 ** (tries - 1));`,
      },
    ],
  },
  {
    id: 'a-touch-of-jitter',
    title: 'Adds a touch of randomness to a fixed pause.',
    criterion: 'spreads-the-herd',
    edits: [
      {
        find: `=> fullJitterMs(tries, BACKOFF_FIRST_MS, BACKOFF_CAP_MS);`,
        replace: `=>
  (0.8 + 0.2 * Math.random()) * Math.min(BACKOFF_CAP_MS, BACKOFF_FIRST_MS * 2 ** (tries - 1));`,
      },
    ],
  },
  {
    id: 'handler-throws-through',
    title: 'Lets an error of a feature go through the connection.',
    criterion: 'shields-handlers',
    edits: [
      {
        find: `    try {
      channel.handler.onEvent(event);
    } catch {
      // The feature's own trouble. The other events and channels go on.
    }`,
        replace: `    channel.handler.onEvent(event);`,
      },
    ],
  },
  {
    id: 'handler-ends-the-line',
    title: 'Takes an error of a feature for a broken connection.',
    criterion: 'shields-handlers',
    edits: [
      {
        find: `// The feature's own trouble. The other events and channels go on.`,
        replace: `current()?.socket.close();`,
      },
    ],
  },
  {
    id: 'thrown-event-again',
    title: 'Takes an event whose handler has thrown for one that was not given.',
    criterion: 'shields-handlers',
    edits: [
      { find: `if (event.seq !== null) channel.last = event.seq;\n`, replace: `` },
      {
        find: `channel.handler.onEvent(event);`,
        replace: `channel.handler.onEvent(event);
      if (event.seq !== null) channel.last = event.seq;`,
      },
    ],
  },
  {
    id: 'runs-on-after-dispose',
    title: 'Comes back after dispose.',
    criterion: 'ends-cleanly',
    edits: [{ find: `isDisposed = true;\n      link.halt('idle');`, replace: `show();` }],
  },
  {
    id: 'listeners-left',
    title: 'Leaves its listeners on the phone.',
    criterion: 'ends-cleanly',
    edits: [{ find: `stopNetwork();\n      foreground.remove();`, replace: `` }],
  },
  {
    id: 'handlers-after-leave',
    title: 'Goes on with the page it has begun, although the feature has left.',
    criterion: 'ends-cleanly',
    edits: [{ find: `if (channel.visit.signal.aborted) return;\n    // Before`, replace: `// Before` }],
  },
  {
    id: 'connects-all-the-time',
    title: 'Begins a new connection for each join.',
    criterion: 'spends-little',
    edits: [
      {
        find: `if (link) void enter(channel, link);`,
        replace: `link?.socket.close();`,
      },
    ],
  },
  {
    id: 'polls-history',
    title: 'Asks for history with every head, whatever it says.',
    criterion: 'spends-little',
    edits: [
      {
        find: `if (name === 'head') note(channel, seq ?? 0);`,
        replace: `if (name === 'head') {
      note(channel, seq ?? 0);
      channel.isUnsure = true;
      if (channel.status === 'live') void catchUp(channel);
    }`,
      },
    ],
  },
  {
    id: 'wakes-every-second',
    title: 'Looks every second whether there is something to do.',
    criterion: 'spends-little',
    edits: [
      {
        find: `limit(own, own.activityMs, () => ping(own));`,
        replace: `const dueAtMs = performance.now() + own.activityMs;
    const look = () => {
      if (performance.now() >= dueAtMs) ping(own);
      else limit(own, 1_000, look);
    };
    limit(own, 1_000, look);`,
      },
    ],
  },
];

const HEAD = `import type { CreateRealtime, RealtimeState } from '#contract/realtime-reconnect';
`;

export const lazy: LazyAttempt[] = [
  {
    id: 'does-nothing',
    title: 'Says that all is well and does nothing.',
    source: `${HEAD}
export const createRealtime: CreateRealtime = () => {
  const channels: Record<string, 'live'> = {};
  return {
    connect: () => {},
    disconnect: () => {},
    join: (channel, _handler) => {
      channels[channel] = 'live';
      return () => {
        delete channels[channel];
      };
    },
    send: () => true,
    getState: (): RealtimeState => ({ status: 'connected', attempt: 0, socketId: '100001.48271', channels }),
    subscribe: () => () => {},
    dispose: () => {},
  };
};
`,
  },
  {
    id: 'throws',
    title: 'Throws at every call.',
    source: `${HEAD}
function fail(): never {
  throw new Error('not today');
}

export const createRealtime: CreateRealtime = () => ({
  connect: fail,
  disconnect: fail,
  join: () => fail(),
  send: () => fail(),
  getState: (): RealtimeState => fail(),
  subscribe: () => fail(),
  dispose: fail,
});
`,
  },
  {
    id: 'never-resolves',
    title: 'Connects for ever, and its channels are pending for ever.',
    source: `${HEAD}
export const createRealtime: CreateRealtime = () => {
  const channels: Record<string, 'pending'> = {};
  let status: RealtimeState['status'] = 'idle';
  return {
    connect: () => {
      status = 'connecting';
    },
    disconnect: () => {
      status = 'idle';
    },
    join: (channel, _handler) => {
      if (channels[channel]) throw new Error('joined already');
      channels[channel] = 'pending';
      return () => {
        delete channels[channel];
      };
    },
    send: () => false,
    getState: () => ({ status, attempt: 0, socketId: null, channels: { ...channels } }),
    subscribe: () => () => {},
    dispose: () => {},
  };
};
`,
  },
  {
    id: 'tight-loop',
    title: 'Opens the next socket in the moment in which the last one ends.',
    source: `${HEAD}
type Handler = Parameters<ReturnType<CreateRealtime>['join']>[1];

export const createRealtime: CreateRealtime = ({ socketUrl, appKey }) => {
  const handlers = new Map<string, Handler>();
  let socket: WebSocket | null = null;
  let socketId: string | null = null;
  const tell = (event: string, data: unknown) => socket?.send(JSON.stringify({ event, data }));
  const open = () => {
    socket = new WebSocket(socketUrl + '/app/' + appKey + '?protocol=7&client=kata&version=1');
    socket.onclose = open;
    socket.onmessage = ({ data: text }) => {
      const { event, channel, data } = JSON.parse(String(text));
      const value = typeof data === 'string' ? JSON.parse(data) : data;
      if (event === 'pusher:connection_established') {
        socketId = value.socket_id;
        for (const name of handlers.keys()) tell('pusher:subscribe', { channel: name });
      } else handlers.get(channel)?.onEvent({ name: event, data: value, seq: value?.seq ?? null });
    };
  };
  return {
    connect: open,
    disconnect: () => socket?.close(),
    join: (channel, handler) => {
      handlers.set(channel, handler);
      if (socketId !== null) tell('pusher:subscribe', { channel });
      return () => handlers.delete(channel);
    },
    send: () => false,
    getState: (): RealtimeState => ({
      status: socketId === null ? 'connecting' : 'connected',
      attempt: 0,
      socketId,
      channels: Object.fromEntries([...handlers.keys()].map((name) => [name, 'live'])),
    }),
    subscribe: () => () => {},
    dispose: () => socket?.close(),
  };
};
`,
  },
  {
    id: 'by-heart',
    title:
      'Knows the examples of the suite: connects, subscribes, and comes back after half a second, whatever happened.',
    source: `${HEAD}
type Handler = Parameters<ReturnType<CreateRealtime>['join']>[1];

export const createRealtime: CreateRealtime = ({ device, apiUrl, socketUrl, appKey }) => {
  const handlers = new Map<string, Handler>();
  const statuses: Record<string, 'pending' | 'live' | 'denied'> = {};
  const listeners = new Set<() => void>();
  let socket: WebSocket | null = null;
  let state: Pick<RealtimeState, 'status' | 'attempt' | 'socketId'> = { status: 'idle', attempt: 0, socketId: null };
  let isWanted = false;
  const show = (next: Partial<typeof state>) => {
    state = { ...state, ...next };
    for (const listener of listeners) listener();
  };
  const tell = (event: string, data: unknown, channel?: string) =>
    socket?.send(JSON.stringify({ event, channel, data }));
  const enter = async (name: string) => {
    const body = new URLSearchParams({ socket_id: state.socketId ?? '', channel_name: name }).toString();
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const answer = name.startsWith('private-')
      ? await fetch(apiUrl + '/pusher/auth', { method: 'POST', headers, body }).catch(() => null)
      : Response.json({});
    if (answer?.status === 403) statuses[name] = 'denied';
    if (answer?.ok) tell('pusher:subscribe', { channel: name, ...(await answer.json()) });
  };
  const open = () => {
    if (!isWanted) return;
    show({ status: 'connecting' });
    socket = new WebSocket(socketUrl + '/app/' + appKey + '?protocol=7&client=kata&version=1');
    socket.onclose = () => {
      show({ status: 'waiting', attempt: state.attempt + 1, socketId: null });
      for (const name of handlers.keys()) if (statuses[name] !== 'denied') statuses[name] = 'pending';
      setTimeout(open, 500);
    };
    socket.onmessage = ({ data: text }) => {
      const { event, channel, data } = JSON.parse(String(text));
      const value = typeof data === 'string' ? JSON.parse(data) : data;
      if (event === 'pusher:connection_established') {
        show({ status: 'connected', socketId: value.socket_id });
        for (const name of handlers.keys()) if (statuses[name] !== 'denied') void enter(name);
      } else if (event === 'pusher:ping') tell('pusher:pong', {});
      else if (event === 'pusher_internal:subscription_succeeded') {
        statuses[channel] = 'live';
        show({});
      } else if (event !== 'head') handlers.get(channel)?.onEvent({ name: event, data: value, seq: value?.seq ?? null });
    };
  };
  return {
    connect: async () => {
      isWanted = true;
      if ((await device.netInfo.fetch()).isConnected) open();
    },
    disconnect: () => {
      isWanted = false;
      socket?.close();
      show({ status: 'idle', attempt: 0, socketId: null });
    },
    join: (channel, handler) => {
      if (handlers.has(channel)) throw new Error('joined already');
      handlers.set(channel, handler);
      statuses[channel] = 'pending';
      if (state.socketId !== null) void enter(channel);
      return () => {
        handlers.delete(channel);
        delete statuses[channel];
        tell('pusher:unsubscribe', { channel });
      };
    },
    send: (channel, name, data) => {
      if (statuses[channel] !== 'live' || !name.startsWith('client-')) return false;
      tell(name, data, channel);
      return true;
    },
    getState: () => ({ ...state, channels: { ...statuses } }),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    dispose: () => {
      isWanted = false;
      socket?.close();
    },
  };
};
`,
  },
];
