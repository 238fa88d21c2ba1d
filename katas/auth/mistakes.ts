// Wrong turns that the grade must catch, each by the criterion that names it.
import { type LazyAttempt, lazyAttempts, type Mistake } from '#course';

export const mistakes: Mistake[] = [
  {
    id: 'every-refusal-is-a-wrong-password',
    title: 'Says that the password is wrong, whatever the server has answered.',
    criterion: 'signs-in',
    edits: [
      {
        find: `[/login 401 bad_credentials$/, 'badCredentials'],`,
        replace: `[/login /, 'badCredentials'],`,
      },
    ],
  },
  {
    id: 'waits-as-long-as-the-os',
    title: 'Lets a sign-in wait for as long as the OS does.',
    criterion: 'signs-in',
    edits: [
      {
        find: `const REQUEST_MS = 10_000;`,
        replace: `const REQUEST_MS = 3_600_000;`,
      },
    ],
  },
  {
    id: 'asks-offline',
    title: 'Sends a login while the phone is offline.',
    criterion: 'signs-in',
    edits: [
      {
        find: `      await mustBeOnline();
      if (deviceId`,
        replace: `      if (deviceId`,
      },
      {
        find: `    await mustBeOnline();
    // The same request`,
        replace: `    // The same request`,
      },
    ],
  },
  {
    id: 'route-forgotten',
    title: 'Remembers the last route that was refused in place of the first.',
    criterion: 'guards-the-door',
    edits: [{ find: `returnRoute ??= route;`, replace: `returnRoute = route;` }],
  },
  {
    id: 'route-outlives-sign-out',
    title: 'Sends the next person to where the one before wanted to go.',
    criterion: 'guards-the-door',
    edits: [
      {
        find: `    await current();
    returnRoute = null;
`,
        replace: `    await current();
`,
      },
    ],
  },
  {
    id: 'early-calls-turned-away',
    title: 'Turns calls away that come before start has ended.',
    criterion: 'guards-the-door',
    edits: [
      {
        find: `const current = () => turns.ready().then(() => ({ own: visit, ...store.getState() }));`,
        replace: `const current = async () => {
    visit.stillOn();
    return { own: visit, ...store.getState() };
  };`,
      },
    ],
  },
  {
    id: 'begins-signed-out',
    title: 'Is signed out until the keychain has answered, so that the login flashes by.',
    criterion: 'no-flash',
    edits: [
      {
        find: `createStore<AuthState>(() => ({ ...NOBODY, status: 'restoring' }))`,
        replace: `createStore<AuthState>(() => ({ ...NOBODY, status: 'signedOut' }))`,
      },
    ],
  },
  {
    id: 'start-waits-for-the-server',
    title: 'Holds the launch until the renewal has used up all its tries.',
    criterion: 'no-flash',
    edits: [
      {
        find: `const RESTORE_MS = 5_000;`,
        replace: `const RESTORE_MS = 60_000;`,
      },
    ],
  },
  {
    id: 'thrown-out-by-any-failure',
    title: 'Clears the tokens when a renewal fails, for whatever reason.',
    criterion: 'stays-signed-in',
    edits: [
      {
        find: `(pairOf, (failure) =>
      failure.code === 'signedOut' ? 'ended' : Promise.reject(failure),
    );`,
        replace: `(pairOf, () => 'ended');`,
      },
    ],
  },
  {
    id: 'thrown-out-by-a-403',
    title: 'Takes the code for the verdict, whatever the status.',
    criterion: 'stays-signed-in',
    edits: [
      {
        find: `[/refresh 401 (`,
        replace: `[/refresh \\d+ (`,
      },
    ],
  },
  {
    id: 'thrown-out-by-a-proxy',
    title: 'Takes every 401 of a renewal for the end, a page of HTML too.',
    criterion: 'stays-signed-in',
    edits: [
      {
        find: `[/refresh 401 (session_revoked|token_reused|refresh_expired)$/, `,
        replace: `[/refresh 401 /, `,
      },
    ],
  },
  {
    id: 'portal-lets-in',
    title: 'Takes any 200 of a login for a success.',
    criterion: 'stays-signed-in',
    edits: [
      {
        find: `if (!isLike(body, ADMISSION)) throw refusal('network');`,
        replace: `if (!isLike(body, ADMISSION)) return letIn(own, true);`,
      },
      {
        find: `if (answer.status === (sample === null ? 204 : 200) && isLike(answer.body, sample)) return answer.body;`,
        replace: `if (answer.status === (sample === null ? 204 : 200)) return answer.body as T;`,
      },
    ],
  },
  {
    id: 'body-lost',
    title: 'Sends a call without what its caller gave.',
    criterion: 'renews-in-time',
    edits: [
      {
        find: `session.fetch(apiUrl + path, { ...init, signal })`,
        replace: `session.fetch(apiUrl + path, { signal })`,
      },
    ],
  },
  {
    id: 'calls-wait-for-ever',
    title: 'Has no limit for a call.',
    criterion: 'renews-in-time',
    edits: [
      {
        find: `withTimeLimit(REQUEST_MS, stops,`,
        replace: `withTimeLimit(90_000, stops,`,
      },
    ],
  },
  {
    id: 'one-renewal-per-call',
    title: 'Has a renewer for each call, so that twenty 401s are twenty renewals.',
    criterion: 'single-flight',
    edits: [
      {
        find: `    const { session } = own;
    if (status`,
        replace: `    const kept = status === 'signedIn' ? secrets.session : null;
    const session = kept && (await openSession(own, kept.user, kept.record));
    if (status`,
      },
    ],
  },
  {
    id: 'endless-401',
    title: 'Repeats a call until the 401 goes away.',
    criterion: 'no-loops',
    edits: [
      {
        find: `return await withTimeLimit(REQUEST_MS, stops, (signal) => session.fetch(apiUrl + path, { ...init, signal }));`,
        replace: `const send = (signal: AbortSignal) => session.fetch(apiUrl + path, { ...init, signal });
      let answer = await withTimeLimit(REQUEST_MS, stops, send);
      while (answer.status === 401) answer = await withTimeLimit(REQUEST_MS, stops, send);
      return answer;`,
      },
    ],
  },
  {
    id: 'resends-after-a-lost-answer',
    title: 'Sends a call again when it got no answer.',
    criterion: 'no-loops',
    edits: [
      {
        find: `return await withTimeLimit(REQUEST_MS, stops, (signal) => session.fetch(apiUrl + path, { ...init, signal }));`,
        replace: `const send = (signal: AbortSignal) => session.fetch(apiUrl + path, { ...init, signal });
      return await withTimeLimit(REQUEST_MS, stops, (signal) => send(signal).catch(() => send(signal)));`,
      },
    ],
  },
  {
    id: 'secrets-in-async-storage',
    title: 'Keeps the secrets in AsyncStorage.',
    criterion: 'keeps-secrets',
    edits: [
      {
        find: `const { asyncStorage, secureStore, appState, localAuthentication } = device;`,
        replace: `const { asyncStorage, appState, localAuthentication } = device;
  const secureStore = {
    ...device.secureStore,
    getItemAsync: asyncStorage.getItem,
    setItemAsync: asyncStorage.setItem,
    deleteItemAsync: asyncStorage.removeItem,
  };`,
      },
    ],
  },
  {
    id: 'flow-id-in-the-state',
    title: 'Shows the id of the code entry in the state.',
    criterion: 'keeps-secrets',
    edits: [
      {
        find: `otp: { maskedDestination, expiresAt,`,
        replace: `otp: { otpFlowId, maskedDestination, expiresAt,`,
      },
    ],
  },
  {
    id: 'tokens-logged',
    title: 'Logs each answer of the server, to help with debugging.',
    criterion: 'keeps-secrets',
    edits: [
      {
        find: `    if (answer.status === (sample`,
        replace: `    console.info(path, JSON.stringify(answer.body));
    if (answer.status === (sample`,
      },
    ],
  },
  {
    id: 'password-kept',
    title: 'Keeps the password, to sign in again by itself.',
    criterion: 'keeps-secrets',
    edits: [
      {
        find: `await tryIn(own, () => ask({}, own.signal, '/auth/login', login, crypto.randomUUID()));`,
        replace: `await tryIn(own, () => ask({}, own.signal, '/auth/login', login, crypto.randomUUID()));
      await change(own, () => write({ credentials } as Partial<Secrets>));`,
      },
    ],
  },
  {
    id: 'any-code-sent',
    title: 'Lets the server count what is no code.',
    criterion: 'enters-codes',
    edits: [
      {
        find: `    if (name === 'code' && !/^\\d{6}$/.test(value)) throw refusal('badCode');
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'double-tap-sent-twice',
    title: 'Sends a code twice at a double tap.',
    criterion: 'enters-codes',
    edits: [
      {
        find: `own.entering ??= enter()`,
        replace: `own.entering = enter()`,
      },
    ],
  },
  {
    id: 'cooldown-ignored',
    title: 'Asks for another code at every tap.',
    criterion: 'enters-codes',
    edits: [
      {
        find: `      if (Date.now() < Date.parse(otp.nextResendAt)) throw refusal('cooldown');
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'attempts-not-counted',
    title: 'Does not tell how many attempts are left.',
    criterion: 'enters-codes',
    edits: [
      {
        find: `const otp = { ...entry.otp, attemptsLeft: cause.attemptsLeft };`,
        replace: `const { otp } = entry;`,
      },
    ],
  },
  {
    id: 'dead-entry-kept',
    title: 'Asks for a code that nobody takes any more.',
    criterion: 'enters-codes',
    edits: [
      {
        find: `    if (entry && code === 'flowEnded') await changeEntry(own, entry, () => end('flowEnded'));
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'fails-for-what-is-gone',
    title: 'Fails when the phone to be ended is ended already.',
    criterion: 'lists-phones',
    edits: [{ find: `if (!ok && status !== 404) throw`, replace: `if (!ok) throw` }],
  },
  {
    id: 'runs-on-after-dispose',
    title: 'Goes on after dispose.',
    criterion: 'ends-cleanly',
    edits: [
      {
        find: `      stopListening();
      gate.close();
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'used-before-stored',
    title: 'Uses a new pair while it is still being stored.',
    criterion: 'stored-before-used',
    edits: [
      {
        find: `await write({ session: { user, validatedAtMs: Date.now(), record }, entry: null });`,
        replace: `secrets = { ...secrets, session: { user, validatedAtMs: Date.now(), record }, entry: null };
          void isDone(write({}));`,
      },
    ],
  },
  {
    id: 'failed-write-ignored',
    title: 'Goes on with a pair that could not be stored.',
    criterion: 'stored-before-used',
    edits: [
      {
        find: `await secureStore.setItemAsync(SECRETS_ITEM, JSON.stringify(inTheOpen));`,
        replace: `await isDone(secureStore.setItemAsync(SECRETS_ITEM, JSON.stringify(inTheOpen)));`,
      },
    ],
  },
  {
    id: 'two-records',
    title: 'Stores the two tokens in two values, so that a kill tears them apart.',
    criterion: 'one-record',
    edits: [
      {
        find: `    await secureStore.setItemAsync(SECRETS_ITEM, JSON.stringify(inTheOpen));`,
        replace: `    if (inTheOpen.session) {
      const { accessToken, refreshToken } = JSON.parse(inTheOpen.session.record) as Tokens;
      await secureStore.setItemAsync('auth.refresh', refreshToken);
      await secureStore.setItemAsync('auth.access', accessToken);
    }
    await secureStore.setItemAsync(SECRETS_ITEM, JSON.stringify(inTheOpen));`,
      },
    ],
  },
  {
    id: 'new-key-per-try',
    title: 'Makes a new key for every try of a renewal, so that a late one looks like theft.',
    criterion: 'survives-lost-answers',
    edits: [
      {
        find: `ask(PAIR, signal, '/auth/refresh', { refreshToken })`,
        replace: `ask(PAIR, signal, '/auth/refresh', { refreshToken }, crypto.randomUUID())`,
      },
    ],
  },
  {
    id: 'one-key-for-all',
    title: 'Sends one key with every renewal.',
    criterion: 'survives-lost-answers',
    edits: [
      {
        find: `ask(PAIR, signal, '/auth/refresh', { refreshToken })`,
        replace: `ask(PAIR, signal, '/auth/refresh', { refreshToken }, 'auth.refresh')`,
      },
    ],
  },
  {
    id: 'each-401-renews',
    title: 'Renews at every 401, also for a token that has been replaced.',
    criterion: 'late-401',
    edits: [
      {
        find: `return await withTimeLimit(REQUEST_MS, stops, (signal) => session.fetch(apiUrl + path, { ...init, signal }));`,
        replace: `const withToken = async (signal: AbortSignal) => {
        const headers = { ...(init.headers as object), Authorization: \`Bearer \${await session.getAccessToken()}\` };
        return fetch(apiUrl + path, { ...init, headers, signal });
      };
      const answer = await withTimeLimit(REQUEST_MS, stops, withToken);
      if (answer.status !== 401 || !secrets.session) return answer;
      const { user, record } = secrets.session;
      const pair = await refresh((JSON.parse(record) as Tokens).refreshToken, own.signal);
      if (pair === 'ended') await end(own, 'signedOut', 'server');
      else await session.adopt({ ...pair, userId: user.id });
      return await withTimeLimit(REQUEST_MS, stops, withToken);`,
      },
    ],
  },
  {
    id: 'entry-in-memory',
    title: 'Keeps the code entry in memory, so that it is gone after the SMS was read.',
    criterion: 'resumes-code-entry',
    edits: [
      {
        find: `await keep({ entry });`,
        replace: `secrets = { ...secrets, entry };`,
      },
    ],
  },
  {
    id: 'new-key-per-code',
    title: 'Sends the same code under a new key, so that a lost answer uses it up.',
    criterion: 'resumes-code-entry',
    edits: [
      {
        find: `{ otpFlowId, [name]: value }`,
        replace: `{ otpFlowId, [name]: value }, crypto.randomUUID()`,
      },
    ],
  },
  {
    id: 'lock-is-a-boolean',
    title: 'Puts a prompt in front of tokens that can be read without it.',
    criterion: 'locks-the-secret',
    edits: [
      {
        find: `const inTheOpen = next.isSealed ? { ...next, session: null } : next;`,
        replace: `const inTheOpen = next;`,
      },
    ],
  },
  {
    id: 'key-without-a-prompt',
    title: 'Encrypts the tokens with a key that anybody can read.',
    criterion: 'locks-the-secret',
    edits: [
      {
        find: `createVault({ device, namespace: 'auth', lockAfterMs: LOCK_AFTER_MS })`,
        replace: `createVault({ device, namespace: 'auth', lockAfterMs: LOCK_AFTER_MS, gate: 'none' })`,
      },
    ],
  },
  {
    id: 'never-locks-again',
    title: 'Locks at a launch only.',
    criterion: 'locks-in-time',
    edits: [
      {
        find: `    vault.subscribe(followVault);
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'locks-by-a-timer',
    title: 'Locks again by a timer, which stands still in the background.',
    criterion: 'locks-in-time',
    edits: [
      {
        find: `createVault({ device, namespace: 'auth', lockAfterMs: LOCK_AFTER_MS })`,
        replace: `createVault({ device, namespace: 'auth', lockAfterMs: 1e15 })`,
      },
      {
        find: `const foreground = appState.addEventListener('change', (now) => {`,
        replace: `let timer: ReturnType<typeof setTimeout> | undefined;
    const foreground = appState.addEventListener('change', (now) => {
      clearTimeout(timer);
      if (now === 'background') timer = setTimeout(() => vault.lock(), LOCK_AFTER_MS);`,
      },
    ],
  },
  {
    id: 'refusal-signs-out',
    title: 'Signs people out who cancel the prompt.',
    criterion: 'takes-no-for-no',
    edits: [
      {
        find: `if (failure.code === 'key-lost' || failure.code === 'corrupt') return null;`,
        replace: `if (failure.code) return null;`,
      },
    ],
  },
  {
    id: 'switched-on-unasked',
    title: 'Switches the lock on without asking whose face it is.',
    criterion: 'takes-no-for-no',
    edits: [
      {
        find: `      if (on && !(await localAuthentication.authenticateAsync({ promptMessage: 'Lock the app' })).success) return false;
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'asks-twice',
    title: 'Prompts again by itself when the prompt was refused.',
    criterion: 'takes-no-for-no',
    edits: [
      {
        find: `vault.unlock().then(() => vault.get(SEALED_NAME))`,
        replace: `vault
      .unlock()
      .catch(() => vault.unlock())
      .then(() => vault.get(SEALED_NAME))`,
      },
    ],
  },
  {
    id: 'torn-while-switching-on',
    title: 'Takes the readable copy away before the vault has the other.',
    criterion: 'switches-safely',
    edits: [
      {
        find: `    if (next.isSealed && next.session) await vault.put(SEALED_NAME, JSON.stringify(next.session));
    await secureStore.setItemAsync(SECRETS_ITEM, JSON.stringify(inTheOpen));
`,
        replace: `    await secureStore.setItemAsync(SECRETS_ITEM, JSON.stringify(inTheOpen));
    if (next.isSealed && next.session) await vault.put(SEALED_NAME, JSON.stringify(next.session));
`,
      },
    ],
  },
  {
    id: 'torn-while-switching-off',
    title: 'Empties the vault before the readable copy is there.',
    criterion: 'switches-safely',
    edits: [
      {
        find: `await write({ isSealed: on, session: secrets.session });`,
        replace: `if (!on) await vault.remove(SEALED_NAME);
    await write({ isSealed: on, session: secrets.session });`,
      },
    ],
  },
  {
    id: 'sign-out-waits',
    title: 'Waits for the server before it forgets.',
    criterion: 'signs-out-at-once',
    edits: [
      {
        find: `await write({ ...NO_SESSION, owed: [...secrets.owed, ...owed] });`,
        replace: `for (const refreshToken of owed) await ask(null, app.signal, '/auth/logout', { refreshToken }).catch(() => null);
      await write({ ...NO_SESSION, owed: [...secrets.owed, ...owed] });`,
      },
    ],
  },
  {
    id: 'signed-out-in-memory',
    title: 'Signs out in memory, and is in again after a restart.',
    criterion: 'signs-out-at-once',
    edits: [
      {
        find: `await write({ ...NO_SESSION, owed: [...secrets.owed, ...owed] });`,
        replace: `await write({ owed: [...secrets.owed, ...owed] });
      secrets = { ...secrets, ...NO_SESSION };`,
      },
    ],
  },
  {
    id: 'server-never-told',
    title: 'Never tells the server of a sign-out made offline.',
    criterion: 'pays-its-debts',
    edits: [
      {
        find: `await write({ ...NO_SESSION, owed: [...secrets.owed, ...owed] });`,
        replace: `await write(NO_SESSION);
      for (const refreshToken of owed) void ask(null, app.signal, '/auth/logout', { refreshToken }).catch(() => null);`,
      },
    ],
  },
  {
    id: 'debts-paid-by-any-answer',
    title: 'Takes any answer to a logout for a yes, a portal’s too.',
    criterion: 'pays-its-debts',
    edits: [
      {
        find: `if (answer.status === (sample === null ? 204 : 200) && isLike(answer.body, sample)) return answer.body;`,
        replace: `if (sample === null || (answer.status === 200 && isLike(answer.body, sample))) return answer.body as T;`,
      },
    ],
  },
  {
    id: 'debts-paid-at-start-only',
    title: 'Tries an owed logout at a launch only.',
    criterion: 'pays-its-debts',
    edits: [
      {
        find: `    payDebts();
    if (isServerDue())`,
        replace: `    if (isServerDue())`,
      },
    ],
  },
  {
    id: 'late-renewal-resurrects',
    title: 'Stores what a renewal brings, although the person has left meanwhile.',
    criterion: 'no-ghosts',
    edits: [
      {
        find: `(_: string, record: string) =>
        change(own,`,
        replace: `(_: string, record: string) =>
        change(app,`,
      },
      {
        find: `own.signal.addEventListener('abort', session.dispose);`,
        replace: `app.signal.addEventListener('abort', session.dispose);`,
      },
    ],
  },
  {
    id: 'late-code-throws-out',
    title: 'Lets the answer about another code touch somebody whom a code has let in.',
    criterion: 'no-ghosts',
    edits: [{ find: `      if (secrets.entry?.otpFlowId !== otpFlowId) throw refusal('flowEnded');\n`, replace: `` }],
  },
  {
    id: 'late-login-wins',
    title: 'Lets a sign-in that was overtaken have the last word.',
    criterion: 'no-ghosts',
    edits: [
      {
        find: `      const own = leave('sessionChanged');
      const login = { ...credentials, deviceId, deviceName: 'Phone' };
      await tryIn(own, () => ask({}, own.signal, '/auth/login', login, crypto.randomUUID()));`,
        replace: `      const login = { ...credentials, deviceId, deviceName: 'Phone' };
      const answer = await ask({}, app.signal, '/auth/login', login, crypto.randomUUID());
      await tryIn(leave('sessionChanged'), async () => answer);`,
      },
    ],
  },
  {
    id: 'repeats-as-another',
    title: 'Repeats a call with whatever token is the current one, whoever it belongs to.',
    criterion: 'never-as-another',
    edits: [
      {
        find: `[init.signal, own.signal] : [own.signal]`,
        replace: `[init.signal, app.signal] : [app.signal]`,
      },
      {
        find: `return await withTimeLimit(REQUEST_MS, stops, (signal) => session.fetch(apiUrl + path, { ...init, signal }));`,
        replace: `const answer = await withTimeLimit(REQUEST_MS, stops, (signal) => session.fetch(apiUrl + path, { ...init, signal }));
      const next = visit.session;
      return answer.status === 401 && next && next !== session ? await next.fetch(apiUrl + path, init) : answer;`,
      },
    ],
  },
  {
    id: 'sends-offline',
    title: 'Sends calls although the phone is offline.',
    criterion: 'works-offline',
    edits: [
      {
        find: `      // With a good token the pattern sends offline as well.
      await mustBeOnline();
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'old-is-out',
    title: 'Takes a token that has run out for a way out when it starts offline.',
    criterion: 'works-offline',
    edits: [
      {
        find: `    if (own.signal.aborted) return;
`,
        replace: `    if (own.signal.aborted) return;
    if (!token && !(await device.netInfo.fetch()).isConnected) return end(own, 'signedOut', 'server');
`,
      },
    ],
  },
  {
    id: 'stays-stale',
    title: 'Does not renew when the network is back.',
    criterion: 'works-offline',
    edits: [
      {
        find: `if (isServerDue()) void decide(visit);`,
        replace: `if (store.getState().lock === 'offlineLimit') void decide(visit);`,
      },
    ],
  },
  {
    id: 'no-limit-offline',
    title: 'Lets people in offline for ever.',
    criterion: 'limits-offline-use',
    edits: [
      {
        find: `    if (isPastLimit()) show(own, 'locked', { lock: 'offlineLimit' });
    else letIn(own, !token);`,
        replace: `    letIn(own, !token);`,
      },
    ],
  },
  {
    id: 'limit-at-launch-only',
    title: 'Looks at the limit at a launch only.',
    criterion: 'limits-offline-use',
    edits: [
      {
        find: `const isPastLimit = () => Date.now() -`,
        replace: `const isPastLimit = () =>
    store.getState().status !== 'signedIn' && Date.now() -`,
      },
    ],
  },
  {
    id: 'end-not-heard',
    title: 'Takes the end for trouble on the way, and tries for ever.',
    criterion: 'sees-the-end',
    edits: [
      {
        find: `  [/refresh 401 (session_revoked|token_reused|refresh_expired)$/, 'signedOut'],
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'end-of-one-kind-only',
    title: 'Knows only one of the three words that end a session.',
    criterion: 'sees-the-end',
    edits: [
      {
        find: `(session_revoked|token_reused|refresh_expired)`,
        replace: `session_revoked`,
      },
    ],
  },
  {
    id: 'polls-for-the-network',
    title: 'Looks every ten minutes whether the network is back, offline too.',
    criterion: 'spends-little',
    edits: [
      {
        find: `    stopListening = () => foreground.remove();`,
        replace: `    const poll = setInterval(() => {
      void device.netInfo.fetch().then(({ isConnected }) => isConnected && payDebts());
    }, 600_000);
    stopListening = () => {
      clearInterval(poll);
      foreground.remove();
    };`,
      },
    ],
  },
  {
    id: 'expiry-by-the-server',
    title: 'Holds expiresAt against the phone’s clock, and renews before each call on a phone that is ahead.',
    criterion: 'trusts-no-clock',
    edits: [
      {
        find: `accessToken: { token: '', expiresInSeconds: 0 }`,
        replace: `accessToken: { token: '', expiresAt: '' }`,
      },
      {
        find: `  const { token, expiresInSeconds } = accessToken;
`,
        replace: `  const { token, expiresAt } = accessToken;
  const expiresInSeconds = Math.max(1, (Date.parse(expiresAt) - Date.now()) / 1_000);
`,
      },
    ],
  },
  {
    id: 'lost-secret-not-seen',
    title: 'Stays locked for ever when another face was enrolled.',
    criterion: 'loses-the-secret',
    edits: [
      { find: `failure.code === 'key-lost' || failure.code === 'corrupt'`, replace: `failure.code === 'corrupt'` },
    ],
  },
  {
    id: 'keychain-leftovers',
    title: 'Takes up a session that an earlier installation has left in the Keychain.',
    criterion: 'begins-anew',
    edits: [
      {
        find: `    if (deviceId === null) {
      await isDone(install());
      return;
    }
    const stored = parseJson((await secureStore.getItemAsync(SECRETS_ITEM)) ?? '');
`,
        replace: `    const stored = parseJson((await secureStore.getItemAsync(SECRETS_ITEM)) ?? '');
    if (deviceId === null) await isDone(install());
`,
      },
    ],
  },
  {
    id: 'new-device-at-each-login',
    title: 'Makes a new deviceId for each login.',
    criterion: 'begins-anew',
    edits: [
      {
        find: `{ ...credentials, deviceId, deviceName`,
        replace: `{ ...credentials, deviceId: crypto.randomUUID(), deviceName`,
      },
    ],
  },
];

const HEAD = `import type { AuthState, CreateAuth } from '#contract/auth';

const OUT: AuthState = { status: 'signedOut', user: null, stale: false, otp: null, lock: null, biometricLock: false, endedBy: null };
`;

export const lazy: LazyAttempt[] = [
  ...lazyAttempts({
    slug: 'auth',
    create: 'createAuth',
    state: {
      type: 'AuthState',
      whenDone:
        "{ status: 'signedIn', user: { id: 'ada', name: 'Ada', email: 'ada@example.test' }, stale: false, otp: null, lock: null, biometricLock: false, endedBy: null }",
      whenWaiting:
        "{ status: 'restoring', user: null, stale: false, otp: null, lock: null, biometricLock: false, endedBy: null }",
    },
    promises: {
      start: '',
      signIn: '',
      verifyOtp: '',
      resendOtp: '',
      useBackupCode: '',
      cancelOtp: '',
      fetch: 'Response.json(state.user)',
      setBiometricLock: 'true',
      unlock: 'true',
      listSessions: '[]',
      endSession: '',
      signOut: '',
    },
    others: { guard: "() => 'allow'", takeReturnRoute: '() => null' },
  }),
  {
    id: 'tight-loop',
    title: 'Keeps the tokens in memory and renews without a pause until the server gives in.',
    source: `${HEAD}
export const createAuth: CreateAuth = ({ apiUrl }) => {
  let state: AuthState = { ...OUT, status: 'restoring' };
  let access = '';
  let refresh = '';
  const post = async (path: string, body: object) => {
    const answer = await fetch(apiUrl + path, {
      method: 'POST',
      headers: { 'Idempotency-Key': crypto.randomUUID() },
      body: JSON.stringify(body),
    });
    const got = await answer.json().catch(() => ({}));
    access = got.accessToken?.token ?? access;
    refresh = got.refreshToken?.token ?? refresh;
    return got;
  };
  return {
    start: async () => {
      state = OUT;
    },
    signIn: async (credentials) => {
      const { user } = await post('/auth/login', { ...credentials, deviceId: 'd', deviceName: 'Phone' });
      state = { ...OUT, status: 'signedIn', user };
    },
    verifyOtp: async () => {},
    resendOtp: async () => {},
    useBackupCode: async () => {},
    cancelOtp: async () => {},
    fetch: async (path, init) => {
      const send = () => fetch(apiUrl + path, { ...init, headers: { ...init?.headers, Authorization: 'Bearer ' + access } });
      let answer = await send();
      while (answer.status === 401) {
        await post('/auth/refresh', { refreshToken: refresh }).catch(() => ({}));
        answer = await send();
      }
      return answer;
    },
    guard: () => (state.status === 'signedIn' ? 'allow' : 'signIn'),
    takeReturnRoute: () => null,
    setBiometricLock: async () => false,
    unlock: async () => true,
    listSessions: async () => [],
    endSession: async () => {},
    signOut: async () => {
      access = '';
      state = { ...OUT, endedBy: 'user' };
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
    title: 'Knows the examples of the suite: one try of everything, nothing written down but the session.',
    source: `${HEAD}
const fail = (code: string) => Object.assign(new Error(code), { code });

export const createAuth: CreateAuth = ({ device, apiUrl }) => {
  let state: AuthState = { ...OUT, status: 'restoring' };
  let pair = { access: '', refresh: '', user: OUT.user };
  let flow = '';
  let route: string | null = null;
  let renewing: Promise<void> | null = null;
  const listeners = new Set<() => void>();
  const tell = (next: AuthState) => {
    state = next;
    for (const listener of listeners) listener();
  };
  const post = async (path: string, body: object) => {
    if (!(await device.netInfo.fetch()).isConnected) throw fail('offline');
    const answer = await fetch(apiUrl + path, {
      method: 'POST',
      headers: { 'Idempotency-Key': JSON.stringify(body).length + path },
      body: JSON.stringify(body),
    }).catch(() => {
      throw fail('network');
    });
    return { status: answer.status, body: await answer.json().catch(() => ({})) };
  };
  const admit = async ({ status, body }: { status: number; body: any }) => {
    if (status === 401) throw fail('badCredentials');
    if (status === 429) throw fail('tooMany');
    if (status === 422) throw fail('badCode');
    if (status === 410) throw fail('flowEnded');
    if (!body.accessToken) throw fail('network');
    pair = { access: body.accessToken.token, refresh: body.refreshToken.token, user: body.user ?? pair.user };
    await device.secureStore.setItemAsync('s', JSON.stringify(pair));
    tell({ ...OUT, status: 'signedIn', user: pair.user });
  };
  const renew = async () => {
    const answer = await post('/auth/refresh', { refreshToken: pair.refresh });
    if (answer.status !== 401) return admit(answer).catch(() => Promise.reject(fail('network')));
    await device.secureStore.deleteItemAsync('s');
    tell({ ...OUT, endedBy: 'server' });
    throw fail('signedOut');
  };
  return {
    start: async () => {
      await device.asyncStorage.setItem('mark', '1');
      const text = await device.secureStore.getItemAsync('s');
      if (!text) return tell(OUT);
      pair = JSON.parse(text);
      tell({ ...OUT, status: 'signedIn', user: pair.user });
    },
    signIn: async (credentials) => {
      const answer = await post('/auth/login', { ...credentials, deviceId: 'device-1', deviceName: 'Phone' });
      if (!answer.body.requires2FA) return admit(answer);
      flow = answer.body.otpFlowId;
      const at = (s: number) => new Date(Date.now() + s * 1000).toISOString();
      const { maskedDestination, attemptsLeft } = answer.body;
      tell({ ...OUT, status: 'otpRequired', otp: { maskedDestination, expiresAt: at(300), nextResendAt: at(30), attemptsLeft } });
    },
    verifyOtp: async (code) => {
      if (state.status !== 'otpRequired') throw fail('flowEnded');
      if (!/^\\d{6}$/.test(code)) throw fail('badCode');
      await admit(await post('/auth/otp/verify', { otpFlowId: flow, code }));
    },
    resendOtp: async () => {
      throw fail(state.otp ? 'cooldown' : 'flowEnded');
    },
    useBackupCode: async (backupCode) => admit(await post('/auth/backup-codes/verify', { otpFlowId: flow, backupCode })),
    cancelOtp: async () => tell(OUT),
    fetch: async (path, init) => {
      if (state.status !== 'signedIn') throw fail('signedOut');
      if (!(await device.netInfo.fetch()).isConnected) throw fail('offline');
      const send = () => fetch(apiUrl + path, { ...init, headers: { ...init?.headers, Authorization: 'Bearer ' + pair.access } });
      const answer = await send();
      if (answer.status !== 401) return answer;
      renewing ??= renew().finally(() => {
        renewing = null;
      });
      await renewing;
      return send();
    },
    guard: (wanted) => {
      if (state.status === 'restoring') return 'wait';
      if (state.status === 'signedIn') return 'allow';
      route ??= wanted;
      return 'signIn';
    },
    takeReturnRoute: () => {
      const taken = state.status === 'signedIn' ? route : null;
      if (taken) route = null;
      return taken;
    },
    setBiometricLock: async () => false,
    unlock: async () => state.status === 'signedIn',
    listSessions: async () => [],
    endSession: async () => {},
    signOut: async () => {
      await device.secureStore.deleteItemAsync('s');
      route = null;
      tell({ ...OUT, endedBy: 'user' });
      void post('/auth/logout', { refreshToken: pair.refresh }).catch(() => undefined);
    },
    getState: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    dispose: () => {},
  };
};
`,
  },
];
