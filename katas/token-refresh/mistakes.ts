// Wrong turns that the grade must catch, each by the criterion that names it.
import { type LazyAttempt, lazyAttempts, type Mistake } from '#course';

export const mistakes: Mistake[] = [
  {
    id: 'headers-lost',
    title: 'Sends the token in place of all headers of the caller.',
    criterion: 'carries-the-token',
    edits: [
      { find: `const given = new Headers(init.headers ?? request?.headers);`, replace: `const given = new Headers();` },
    ],
  },
  {
    id: 'subscribers-not-told',
    title: 'Never tells its subscribers of a change.',
    criterion: 'carries-the-token',
    edits: [
      {
        find: `subscribe: (listener) => store.subscribe(() => listener()),`,
        replace: `subscribe: () => () => undefined,`,
      },
    ],
  },
  {
    id: 'tokens-in-async-storage',
    title: 'Keeps the tokens in AsyncStorage.',
    criterion: 'keeps-secrets',
    edits: [
      {
        find: `const { secureStore, netInfo } = device;`,
        replace: `const { asyncStorage, netInfo } = device;
  const secureStore = {
    getItemAsync: asyncStorage.getItem,
    setItemAsync: asyncStorage.setItem,
    deleteItemAsync: asyncStorage.removeItem,
  };`,
      },
    ],
  },
  {
    id: 'tokens-logged',
    title: 'Writes the new session to the log, to help with debugging.',
    criterion: 'keeps-secrets',
    edits: [
      {
        find: `own.stored = stored;`,
        replace: `own.stored = stored;\n      console.info('refreshed', JSON.stringify(stored));`,
      },
    ],
  },
  {
    id: 'two-records',
    title: 'Stores the two tokens under two keys, so that a kill tears them apart.',
    criterion: 'one-record',
    edits: [
      {
        find: `const write = (stored: StoredSession) => secureStore.setItemAsync(RECORD_KEY, JSON.stringify(stored));`,
        replace: `const write = async ({ refreshToken, ...rest }: StoredSession) => {
    await secureStore.setItemAsync('refresh', refreshToken);
    await secureStore.setItemAsync(RECORD_KEY, JSON.stringify(rest));
  };`,
      },
      {
        find: `const stored = readRecord(text);`,
        replace: `const refreshToken = await secureStore.getItemAsync('refresh').catch(rethrowAsStorageError);
    const stored = readRecord(text && JSON.stringify({ ...JSON.parse(text), refreshToken }));`,
      },
    ],
  },
  {
    id: 'one-refresh-per-caller',
    title: 'Refreshes once for each call that needs it.',
    criterion: 'single-flight',
    edits: [
      {
        find: `refreshed: singleFlight(() => renew(own))`,
        replace: `refreshed: () => renew(own)`,
      },
    ],
  },
  {
    id: 'aborted-caller-held',
    title: 'Holds a caller that has given up until the refresh ends.',
    criterion: 'single-flight',
    edits: [{ find: `if (!signal) return promise;`, replace: `if (signal !== undefined) return promise;` }],
  },
  {
    id: 'waits-for-the-401',
    title: 'Sends old tokens and waits for the 401.',
    criterion: 'ahead-of-time',
    edits: [
      { find: `return leftSeconds < Math.min(MARGIN_SECONDS, expiresIn / 2);`, replace: `return leftSeconds < -1e9;` },
    ],
  },
  {
    id: 'young-after-restart',
    title: 'Counts the age of a token from the launch.',
    criterion: 'ahead-of-time',
    edits: [
      {
        find: `return areTokens(record) ? (record as StoredSession) : null;`,
        replace: `return areTokens(record) ? { ...(record as StoredSession), receivedAtMs: Date.now() } : null;`,
      },
    ],
  },
  {
    id: 'fixed-margin',
    title: 'Takes 30 s for the margin of every token.',
    criterion: 'short-lived',
    edits: [{ find: `Math.min(MARGIN_SECONDS, expiresIn / 2)`, replace: `MARGIN_SECONDS` }],
  },
  {
    id: 'endless-401',
    title: 'Refreshes and replays until the 401 goes away.',
    criterion: 'replays-once',
    edits: [
      {
        find: `return call.send(await tokenOf(own, !isOutdated, call.signal));`,
        replace: `let last = await call.send(await tokenOf(own, !isOutdated, call.signal));
    while (last.status === 401 && !isOver(own)) last = await call.send(await tokenOf(own, true, call.signal));
    return last;`,
      },
    ],
  },
  {
    id: 'two-refreshes-for-a-call',
    title: 'Refreshes a second time when the token it has just got is refused.',
    criterion: 'replays-once',
    edits: [{ find: `if (isEarly && !isOutdated) return answer;`, replace: `` }],
  },
  {
    id: 'resends-after-a-lost-answer',
    title: 'Sends a call again when it got no answer.',
    criterion: 'replays-once',
    edits: [
      {
        find: `const answer = await call.send(token);`,
        replace: `const answer = await call.send(token).catch(() => call.send(token));`,
      },
    ],
  },
  {
    id: 'refreshes-at-403',
    title: 'Takes a missing permission for an old token.',
    criterion: 'only-for-401',
    edits: [
      { find: `if (answer.status !== 401 ||`, replace: `if ((answer.status !== 401 && answer.status !== 403) ||` },
    ],
  },
  {
    id: 'late-401-refreshes',
    title: 'Refreshes again for a 401 that is older than the token.',
    criterion: 'late-401',
    edits: [
      {
        find: `const isOutdated = token !== own.stored.accessToken;`,
        replace: `const isOutdated = token === own.stored.refreshToken;`,
      },
    ],
  },
  {
    id: 'replay-loses-the-body',
    title: 'Replays without the body.',
    criterion: 'same-request',
    edits: [
      {
        find: `return call.send(await tokenOf(own, !isOutdated, call.signal));`,
        replace: `const next = await tokenOf(own, !isOutdated, call.signal);
    const { body: _, ...rest } = init;
    const headers = new Headers(init.headers);
    headers.set('Authorization', \`Bearer \${next}\`);
    return fetch(input, { ...rest, headers });`,
      },
    ],
  },
  {
    id: 'replay-with-a-new-key',
    title: 'Gives each send an idempotency key of its own.',
    criterion: 'same-request',
    edits: [
      {
        find: `// A clone is sent,`,
        replace: `if (headers.has('Idempotency-Key')) headers.set('Idempotency-Key', crypto.randomUUID());
      // A clone is sent,`,
      },
    ],
  },
  {
    id: 'request-used-up',
    title: 'Sends a Request itself, which cannot be sent twice.',
    criterion: 'same-request',
    edits: [{ find: `return fetch(request?.clone() ?? input,`, replace: `return fetch(input,` }],
  },
  {
    id: 'stream-replayed',
    title: 'Replays a stream that was read already.',
    criterion: 'same-request',
    edits: [{ find: `isRepeatable: !(init.body instanceof ReadableStream),`, replace: `isRepeatable: true,` }],
  },
  {
    id: 'signed-out-by-a-network-error',
    title: 'Signs the user out when a refresh gets no answer.',
    criterion: 'stays-signed-in',
    edits: [
      {
        find: `throw unavailable(failure.cause);`,
        replace: `{
        await endByServer(own);
        throw gone();
      }`,
      },
    ],
  },
  {
    id: 'signed-out-by-a-500',
    title: 'Signs the user out when the server is in trouble.',
    criterion: 'stays-signed-in',
    edits: [
      {
        find: `if (status === 401 && body) return 'ended';`,
        replace: `if ((status === 401 && body) || status >= 500) return 'ended';`,
      },
    ],
  },
  {
    id: 'signed-out-by-any-400',
    title: 'Takes every 400 and 403 of a refresh for the end.',
    criterion: 'stays-signed-in',
    edits: [
      {
        find: `if (status === 400 && body?.error === 'invalid_grant')`,
        replace: `if (status === 400 || status === 403)`,
      },
    ],
  },
  {
    id: 'signed-out-by-html',
    title: 'Signs the user out when the answer is no JSON.',
    criterion: 'knows-a-portal',
    edits: [
      {
        find: `if (status === 200 && areTokens(body)) return body;`,
        replace: `if (!body) return 'ended';
  if (status === 200 && areTokens(body)) return body;`,
      },
    ],
  },
  {
    id: 'signed-out-by-a-proxy',
    title: 'Takes any 401 of a refresh for the end, whoever gave it.',
    criterion: 'knows-a-portal',
    edits: [
      {
        find: `if (status === 401 && body)`,
        replace: `if (status === 401)`,
      },
    ],
  },
  {
    id: 'end-not-heard',
    title: 'Takes invalid_grant for trouble on the way, and tries for ever.',
    criterion: 'sees-the-end',
    edits: [
      {
        find: `if (status === 400 && body?.error === 'invalid_grant') return 'ended';`,
        replace: ``,
      },
    ],
  },
  {
    id: 'end-keeps-the-record',
    title: 'Keeps the record of a session that the server has ended.',
    criterion: 'sees-the-end',
    edits: [{ find: `await secureStore.deleteItemAsync(RECORD_KEY).catch(() => undefined);`, replace: `` }],
  },
  {
    id: 'ends-whoever-is-in',
    title: 'Signs out whoever is signed in when the server ends an earlier session.',
    criterion: 'sees-the-end',
    edits: [{ find: `if (isOver(ended)) return;`, replace: `` }],
  },
  {
    id: 'token-for-every-host',
    title: 'Puts the token on every request, whichever host it is for.',
    criterion: 'own-origin-only',
    edits: [{ find: `if (originOf(input) !== apiOrigin) return fetch(input, init);`, replace: `` }],
  },
  {
    id: 'origin-by-prefix',
    title: 'Takes every address that begins like the API’s for the API.',
    criterion: 'own-origin-only',
    edits: [
      {
        find: `if (originOf(input) !== apiOrigin) return fetch(input, init);`,
        replace: `if (!(originOf(input) ?? '').startsWith(apiOrigin)) return fetch(input, init);`,
      },
    ],
  },
  {
    id: 'refresh-through-itself',
    title: 'Sends the refresh through the fetch that waits for the refresh.',
    criterion: 'outside-the-interceptor',
    edits: [
      {
        find: `judge(await postJson(\`\${apiUrl}/auth/refresh\`, { refreshToken }, headers, signal))`,
        replace: `judge(
              await sessionFetch(\`\${apiUrl}/auth/refresh\`, {
                method: 'POST',
                headers: { 'Content-Type': 'application/json', ...headers },
                body: JSON.stringify({ refreshToken }),
                signal,
              }).then(async (answer) => ({ status: answer.status, headers: answer.headers, body: await answer.json() })),
            )`,
      },
    ],
  },
  {
    id: 'start-asks-the-server',
    title: 'Asks the server at launch whether the session is still good.',
    criterion: 'starts-offline',
    edits: [
      {
        find: `if (stored) begin(stored);`,
        replace: `const Authorization = \`Bearer \${stored?.accessToken}\`;
    const answer = stored && (await fetch(\`\${apiUrl}/me\`, { headers: { Authorization } }).catch(() => null));
    if (stored && answer?.ok) begin(stored);`,
      },
    ],
  },
  {
    id: 'damaged-record-trusted',
    title: 'Takes whatever the keychain holds for a session.',
    criterion: 'starts-offline',
    edits: [
      {
        find: `return areTokens(record) ? (record as StoredSession) : null;`,
        replace: `return record as StoredSession | null;`,
      },
    ],
  },
  {
    id: 'early-calls-turned-away',
    title: 'Turns calls away that come before start has ended.',
    criterion: 'starts-offline',
    edits: [
      {
        find: `await started.promise;
    if`,
        replace: `if`,
      },
    ],
  },
  {
    id: 'refreshes-offline',
    title: 'Asks for a token while the phone is offline.',
    criterion: 'silent-offline',
    edits: [{ find: `if (!isConnected) throw offline();`, replace: `if (isConnected === null) throw offline();` }],
  },
  {
    id: 'runs-on-after-dispose',
    title: 'Goes on with its refresh after dispose.',
    criterion: 'ends-cleanly',
    edits: [{ find: `isDisposed = true;\n    stay?.ending.abort();`, replace: `isDisposed = true;` }],
  },
  {
    id: 'rejection-unhandled',
    title: 'Lets a logout request reject where nobody listens.',
    criterion: 'ends-cleanly',
    edits: [
      {
        find: `await postJson(\`\${apiUrl}/auth/logout\`, { refreshToken }, {}).catch(() => undefined);`,
        replace: `await postJson(\`\${apiUrl}/auth/logout\`, { refreshToken }, {});`,
      },
    ],
  },
  {
    id: 'used-before-stored',
    title: 'Uses the new pair while it is still being stored, so that a kill leaves the old one behind.',
    criterion: 'stored-before-used',
    edits: [
      {
        find: `const failure = 'accessToken' in verdict ? await keep(own, verdict) : verdict;`,
        replace: `const failure = 'accessToken' in verdict ? null : verdict;
      if ('accessToken' in verdict) {
        void keep(own, verdict).catch(() => undefined);
        own.stored = { ...own.stored, ...verdict };
      }`,
      },
    ],
  },
  {
    id: 'waiters-forgotten',
    title: 'Tells those who wait of a success only.',
    criterion: 'releases-the-waiters',
    edits: [
      {
        find: `flight ??= run().finally(() => {`,
        replace: `const going = flight;
    if (going) return new Promise((resolve) => void going.then(resolve, () => undefined));
    flight = run().finally(() => {`,
      },
    ],
  },
  {
    id: 'failure-kept',
    title: 'Keeps the failed refresh, so that every later call fails with it.',
    criterion: 'releases-the-waiters',
    edits: [
      {
        find: `const own: Stay = { stored, refreshed: singleFlight(() => renew(own)), ending: new AbortController() };`,
        replace: `let refreshing: Promise<void> | null = null;
    const refreshed = () => {
      refreshing ??= renew(own).then(() => {
        refreshing = null;
      });
      return refreshing;
    };
    const own: Stay = { stored, refreshed, ending: new AbortController() };`,
      },
    ],
  },
  {
    id: 'one-try',
    title: 'Gives up after the first lost answer.',
    criterion: 'tries-thrice',
    edits: [{ find: `const PAUSES_MS = [1_000, 2_000, NEVER];`, replace: `const PAUSES_MS = [NEVER];` }],
  },
  {
    id: 'no-limit-for-a-try',
    title: 'Waits for an answer as long as the OS does.',
    criterion: 'tries-thrice',
    edits: [{ find: `const TRY_MS = 5_000;`, replace: `const TRY_MS = 3_600_000;` }],
  },
  {
    id: 'retry-after-ignored',
    title: 'Does not look at Retry-After.',
    criterion: 'tries-thrice',
    edits: [
      {
        find: `failure.retryAfterMs ?? pauseMs`,
        replace: `pauseMs`,
      },
    ],
  },
  {
    id: 'waits-out-any-retry-after',
    title: 'Lets screens wait for as long as Retry-After says.',
    criterion: 'tries-thrice',
    edits: [{ find: `const RETRY_AFTER_MAX_MS = 5_000;`, replace: `const RETRY_AFTER_MAX_MS = 3_600_000;` }],
  },
  {
    id: 'new-key-per-try',
    title: 'Makes a new key for every try, so that a late duplicate looks like theft.',
    criterion: 'one-key-per-token',
    edits: [
      {
        find: `{ 'Idempotency-Key': refreshKey }`,
        replace: `{ 'Idempotency-Key': crypto.randomUUID() || refreshKey }`,
      },
    ],
  },
  {
    id: 'key-in-memory',
    title: 'Keeps the key in memory, so that a restart makes another one.',
    criterion: 'one-key-per-token',
    edits: [
      {
        find: `return areTokens(record) ? (record as StoredSession) : null;`,
        replace: `return areTokens(record) ? { ...(record as StoredSession), refreshKey: crypto.randomUUID() } : null;`,
      },
    ],
  },
  {
    id: 'one-key-for-all',
    title: 'Sends the same key with every refresh token.',
    criterion: 'one-key-per-token',
    edits: [
      { find: `{ 'Idempotency-Key': refreshKey }`, replace: `{ 'Idempotency-Key': \`refresh-of-\${stored.userId}\` }` },
    ],
  },
  {
    id: 'sign-out-waits-for-the-server',
    title: 'Waits for the answer to the logout request.',
    criterion: 'signs-out-at-once',
    edits: [
      {
        find: `void tellServer(leaving.stored.refreshToken);`,
        replace: `await tellServer(leaving.stored.refreshToken);`,
      },
    ],
  },
  {
    id: 'server-told-first',
    title: 'Tells the server first and forgets the session afterwards.',
    criterion: 'signs-out-at-once',
    edits: [
      {
        find: `leaving?.ending.abort();`,
        replace: `if (leaving) await tellServer(leaving.stored.refreshToken);\n      leaving?.ending.abort();`,
      },
      { find: `void tellServer(leaving.stored.refreshToken);`, replace: `` },
    ],
  },
  {
    id: 'server-not-told',
    title: 'Never tells the server of a sign-out.',
    criterion: 'signs-out-at-once',
    edits: [{ find: `void tellServer(leaving.stored.refreshToken);`, replace: `` }],
  },
  {
    id: 'calls-go-on-after-sign-out',
    title: 'Lets calls that waited for a token leave after the sign-out.',
    criterion: 'no-resurrection',
    edits: [
      {
        find: `leaving?.ending.abort();
      stay = null;`,
        replace: `stay = null;`,
      },
    ],
  },
  {
    id: 'signed-out-in-memory',
    title: 'Signs out in memory, and is signed in again after a restart.',
    criterion: 'no-resurrection',
    edits: [{ find: `await secureStore.deleteItemAsync(RECORD_KEY);`, replace: `await Promise.resolve();` }],
  },
  {
    id: 'late-refresh-resurrects',
    title: 'Stores what a refresh brings, although the person has signed out meanwhile.',
    criterion: 'no-resurrection',
    edits: [
      {
        find: `withTimeLimit(TRY_MS, [ending.signal],`,
        replace: `withTimeLimit(TRY_MS, [],`,
      },
      {
        find: `if (isOver(own)) return null;`,
        replace: ``,
      },
    ],
  },
  {
    id: 'replays-as-another',
    title: 'Replays a call with whatever token is the current one, whoever it belongs to.',
    criterion: 'never-as-another',
    edits: [
      {
        find: `if (answer.status !== 401 || !call.isRepeatable || isOver(own)) return answer;`,
        replace: `if (answer.status !== 401 || !call.isRepeatable || !stay) return answer;`,
      },
      {
        find: `const isOutdated = token !== own.stored.accessToken;`,
        replace: `const isOutdated = token !== stay.stored.accessToken;`,
      },
      {
        find: `return call.send(await tokenOf(own, !isOutdated, call.signal));`,
        replace: `return call.send(await tokenOf(stay, !isOutdated, call.signal));`,
      },
    ],
  },
  {
    id: 'age-by-the-server',
    title: 'Counts the life of a token from the date the server gives.',
    criterion: 'trusts-no-clock',
    edits: [
      {
        find: `function judge({ status, headers, body }: JsonAnswer): Verdict {`,
        replace: `let serverNowMs = 0;

function judge({ status, headers, body }: JsonAnswer): Verdict {
  serverNowMs = Date.parse(headers.get('Date') ?? '') || Date.now();`,
      },
      {
        find: `const stored = toRecord(own.stored.userId, tokens, Date.now());`,
        replace: `const stored = toRecord(own.stored.userId, tokens, serverNowMs);`,
      },
    ],
  },
  {
    id: 'failed-write-ignored',
    title: 'Goes on with a pair that the keychain did not take.',
    criterion: 'outlives-the-keychain',
    edits: [
      {
        find: `} catch (cause) {
        return { retryAfterMs: null, cause };
      }`,
        replace: `} catch {}`,
      },
    ],
  },
  {
    id: 'failed-sign-in-ignored',
    title: 'Signs somebody in although the keychain did not take the session.',
    criterion: 'outlives-the-keychain',
    edits: [
      {
        find: `await write(stored).catch(rethrowAsStorageError);`,
        replace: `await write(stored).catch(() => undefined);`,
      },
    ],
  },
  {
    id: 'reads-for-every-call',
    title: 'Reads the keychain for every call.',
    criterion: 'spends-little',
    edits: [
      {
        find: `const isEarly = isNearItsEnd(own.stored);`,
        replace: `await secureStore.getItemAsync(RECORD_KEY).catch(() => null);
    const isEarly = isNearItsEnd(own.stored);`,
      },
    ],
  },
  {
    id: 'writes-twice',
    title: 'Writes each pair twice, to be safe.',
    criterion: 'spends-little',
    edits: [
      {
        find: `own.stored = stored;`,
        replace: `own.stored = stored;\n      await write(stored).catch(() => undefined);`,
      },
    ],
  },
];

const HEAD = `import type { CreateSession, SessionState, Tokens } from '#contract/token-refresh';
`;

export const lazy: LazyAttempt[] = [
  ...lazyAttempts({
    slug: 'token-refresh',
    create: 'createSession',
    state: {
      type: 'SessionState',
      whenDone: "{ status: 'signed-in', userId: 'ada', reason: null }",
      whenWaiting: "{ status: 'unknown', userId: null, reason: null }",
    },
    promises: {
      start: '',
      adopt: '',
      fetch: "Response.json({ userId: 'ada' })",
      getAccessToken: "'at-01-0001'",
      signOut: '',
    },
  }),
  {
    id: 'tight-loop',
    title: 'Keeps the tokens in memory and refreshes without a pause until the server gives in.',
    source: `${HEAD}
export const createSession: CreateSession = ({ apiUrl }) => {
  let state: SessionState = { status: 'signed-out', userId: null, reason: null };
  let tokens: Tokens | null = null;
  const send: typeof fetch = (input, init) =>
    fetch(input, { ...init, headers: { ...init?.headers, Authorization: 'Bearer ' + tokens?.accessToken } });
  const refresh = async () => {
    const body = JSON.stringify({ refreshToken: tokens?.refreshToken });
    const answer = await fetch(apiUrl + '/auth/refresh', { method: 'POST', body }).catch(() => null);
    if (answer?.ok) tokens = await answer.json().catch(() => tokens);
  };
  return {
    start: async () => {},
    adopt: async ({ userId, ...given }) => {
      tokens = given;
      state = { status: 'signed-in', userId, reason: null };
    },
    fetch: async (input, init) => {
      let answer = await send(input, init);
      while (answer.status === 401) {
        await refresh();
        answer = await send(input, init);
      }
      return answer;
    },
    getAccessToken: async () => tokens?.accessToken ?? '',
    signOut: async () => {
      tokens = null;
      state = { status: 'signed-out', userId: null, reason: 'user' };
    },
    getState: () => state,
    subscribe: () => () => {},
    dispose: () => {},
  };
};
`,
  },
  {
    id: 'by-heart',
    title: 'Knows the examples of the suite: one refresh, no retry, and the answer each example wants to hear.',
    source: `${HEAD}
const fail = (code: string) => Object.assign(new Error(code), { code });
const nobody: SessionState = { status: 'signed-out', userId: null, reason: null };

export const createSession: CreateSession = ({ device, apiUrl }) => {
  let state: SessionState = { status: 'unknown', userId: null, reason: null };
  let tokens: Tokens | null = null;
  let refreshing: Promise<void> | null = null;
  let isDisposed = false;
  const listeners = new Set<() => void>();
  const tell = (next: SessionState) => {
    state = next;
    for (const listener of listeners) listener();
  };
  const keep = (next: Tokens | null, userId: string) => {
    tokens = next;
    return device.secureStore.setItemAsync('s', JSON.stringify({ ...next, userId }));
  };
  const refresh = async () => {
    if (!(await device.netInfo.fetch()).isConnected) throw fail('network');
    const { refreshToken } = tokens ?? { refreshToken: '' };
    const answer = await fetch(apiUrl + '/auth/refresh', {
      method: 'POST',
      headers: { 'Idempotency-Key': refreshToken },
      body: JSON.stringify({ refreshToken }),
    }).catch(() => null);
    if (answer?.ok) await keep(await answer.json(), state.userId ?? '');
    else throw fail(answer?.status === 400 ? 'signed-out' : 'refresh-unavailable');
  };
  const token = async (isRefused: boolean) => {
    if (isDisposed) throw fail('disposed');
    if (!tokens) throw fail('signed-out');
    if (isRefused) {
      refreshing ??= refresh().finally(() => {
        refreshing = null;
      });
      await refreshing;
    }
    return tokens.accessToken;
  };
  return {
    start: async () => {
      const text = await device.secureStore.getItemAsync('s');
      tokens = text ? JSON.parse(text) : null;
      tell(text ? { status: 'signed-in', userId: JSON.parse(text).userId, reason: null } : nobody);
    },
    adopt: async ({ userId, ...given }) => {
      await keep(given, userId);
      tell({ status: 'signed-in', userId, reason: null });
    },
    fetch: async (input, init) => {
      if (!String(input instanceof Request ? input.url : input).startsWith(apiUrl + '/')) return fetch(input, init);
      const send = async (isRefused: boolean) => {
        const headers = new Headers(init?.headers);
        headers.set('Authorization', 'Bearer ' + (await token(isRefused)));
        return fetch(input instanceof Request ? input.clone() : input, { ...init, headers });
      };
      const answer = await send(false);
      return answer.status === 401 && typeof init?.body !== 'object' ? send(true) : answer;
    },
    getAccessToken: () => token(false),
    signOut: async () => {
      await device.secureStore.deleteItemAsync('s');
      tokens = null;
      tell({ ...nobody, reason: 'user' });
    },
    getState: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    dispose: () => {
      isDisposed = true;
    },
  };
};
`,
  },
];
