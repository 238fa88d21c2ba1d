// Wrong turns that the grade must catch, each by the criterion that names it.
import { type LazyAttempt, lazyAttempts, type Mistake } from '#course';

export const mistakes: Mistake[] = [
  {
    id: 'plain-preview',
    title: 'Keeps the beginning of each value in the open, for a list.',
    criterion: 'no-plain-text',
    edits: [
      {
        find: `      await write(own, name, value);
      noteReadable(name, true);`,
        replace: `      await asyncStorage.setItem(\`preview/\${namespace}/\${name}\`, value.slice(0, 40));
      await write(own, name, value);
      noteReadable(name, true);`,
      },
    ],
  },
  {
    id: 'encodes-only',
    title: 'Encodes as base64 and calls it encryption.',
    criterion: 'no-plain-text',
    edits: [
      {
        find: `  const text = crypto.Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);`,
        replace: `  cipher.update(value, 'utf8');
  cipher.final();
  const text = crypto.Buffer.from(value);`,
      },
      {
        find: `    const value = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
    return crypto.Buffer.concat([value, decipher.final()]).toString('utf8');`,
        replace: `    return bytes.subarray(NONCE_BYTES + TAG_BYTES).toString('utf8');`,
      },
    ],
  },
  {
    id: 'logs-values',
    title: 'Logs what it stores.',
    criterion: 'no-plain-text',
    edits: [
      {
        find: `    const record = seal(`,
        replace: `    console.log('put', name, value);
    const record = seal(`,
      },
    ],
  },
  {
    id: 'key-in-async-storage',
    title: 'Keeps the keys in AsyncStorage, where they can be read without a prompt.',
    criterion: 'keys-in-the-keychain',
    edits: [
      {
        find: `await secureStore.setItemAsync(keyItem, JSON.stringify(ring), rules)`,
        replace: `await asyncStorage.setItem(\`vault/\${namespace}/keys\`, JSON.stringify(ring));
    await secureStore.setItemAsync(keyItem, JSON.stringify(ring), rules)`,
      },
      {
        find: `await secureStore.getItemAsync(keyItem).catch(rethrowAsPromptError)`,
        replace: `await asyncStorage.getItem(\`vault/\${namespace}/keys\`)`,
      },
    ],
  },
  {
    id: 'key-in-code',
    title: 'Has the key in its code.',
    criterion: 'keys-in-the-keychain',
    edits: [
      {
        find: `key: quickCrypto.randomBytes(KEY_BYTES).toString('base64')`,
        replace: `key: quickCrypto.Buffer.alloc(KEY_BYTES, 'clinic').toString('base64')`,
      },
    ],
  },
  {
    id: 'key-from-a-name',
    title: 'Derives the key from an id that everybody can look up.',
    criterion: 'keys-in-the-keychain',
    edits: [
      {
        find: `key: quickCrypto.randomBytes(KEY_BYTES).toString('base64')`,
        replace: `key: quickCrypto.createHash('sha256').update(\`user \${namespace} \${version}\`).digest('base64')`,
      },
    ],
  },
  {
    id: 'no-authentication',
    title: 'Encrypts with AES-256-CTR, which tells nobody that something was changed.',
    criterion: 'authenticated-cipher',
    edits: [
      {
        find: `crypto.createCipheriv('aes-256-gcm', crypto.Buffer.from(key, 'base64'), nonce);
  cipher.setAAD(additionalData(crypto, place, version));`,
        replace: `crypto.createCipheriv('aes-256-ctr', crypto.Buffer.from(key, 'base64'), crypto.Buffer.concat([nonce, crypto.Buffer.alloc(4)]));`,
      },
      { find: `cipher.getAuthTag()`, replace: `crypto.Buffer.alloc(TAG_BYTES)` },
      {
        find: `crypto.createDecipheriv('aes-256-gcm', crypto.Buffer.from(found.key, 'base64'), nonce);
    decipher.setAAD(additionalData(crypto, place, version));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));`,
        replace: `crypto.createDecipheriv('aes-256-ctr', crypto.Buffer.from(found.key, 'base64'), crypto.Buffer.concat([nonce, crypto.Buffer.alloc(4)]));`,
      },
    ],
  },
  {
    id: 'password-helper',
    title: 'Stretches the key like a password, into half of its length.',
    criterion: 'authenticated-cipher',
    edits: [
      {
        find: `crypto.createCipheriv('aes-256-gcm', crypto.Buffer.from(key, 'base64'), nonce)`,
        replace: `crypto.createCipheriv('aes-128-gcm', crypto.pbkdf2Sync(key, 'salt', 1, 16, 'sha1'), nonce)`,
      },
      {
        find: `crypto.createDecipheriv('aes-256-gcm', crypto.Buffer.from(found.key, 'base64'), nonce)`,
        replace: `crypto.createDecipheriv('aes-128-gcm', crypto.pbkdf2Sync(found.key, 'salt', 1, 16, 'sha1'), nonce)`,
      },
    ],
  },
  {
    id: 'yes-or-no-gate',
    title: 'Asks for a face, and then reads a key that nobody guards.',
    criterion: 'guarded-key',
    edits: [
      {
        find: `requireAuthentication: hasOwner, keychainAccessible`,
        replace: `requireAuthentication: false, keychainAccessible`,
      },
      {
        find: `    const item = await secureStore.getItemAsync(keyItem)`,
        replace: `    if (hasOwner && !(await device.localAuthentication.authenticateAsync()).success) throw vaultError('cancelled', 'No.');
    const item = await secureStore.getItemAsync(keyItem)`,
      },
    ],
  },
  {
    id: 'key-in-backups',
    title: 'Lets a backup carry the key to another phone.',
    criterion: 'guarded-key',
    edits: [
      {
        find: `const keychainAccessible = hasOwner ? WHEN_UNLOCKED_THIS_DEVICE_ONLY :`,
        replace: `const keychainAccessible = hasOwner ? secureStore.WHEN_UNLOCKED :`,
      },
    ],
  },
  {
    id: 'unguarded-after-rotation',
    title: 'Guards the first key and forgets it at the rotation.',
    criterion: 'guarded-key',
    edits: [
      {
        find: `requireAuthentication: hasOwner, keychainAccessible`,
        replace: `requireAuthentication: hasOwner && ring.current.version === 1, keychainAccessible`,
      },
    ],
  },
  {
    id: 'prompt-for-each-caller',
    title: 'Prompts once for each screen that unlocks.',
    criterion: 'one-prompt',
    edits: [{ find: `const openOnce = singleFlight(open);`, replace: `const openOnce = open;` }],
  },
  {
    id: 'prompt-for-each-read',
    title: 'Reads the key for every value.',
    criterion: 'one-prompt',
    edits: [
      {
        find: `      const record = await read(name);
      const value`,
        replace: `      await secureStore.getItemAsync(keyItem).catch(rethrowAsPromptError);
      const record = await read(name);
      const value`,
      },
    ],
  },
  {
    id: 'asks-again',
    title: 'Asks a second time when the first prompt was cancelled.',
    criterion: 'takes-no-for-an-answer',
    edits: [
      {
        find: `await secureStore.getItemAsync(keyItem).catch(rethrowAsPromptError)`,
        replace: `await secureStore
      .getItemAsync(keyItem)
      .catch(() => secureStore.getItemAsync(keyItem))
      .catch(rethrowAsPromptError)`,
      },
    ],
  },
  {
    id: 'every-no-is-a-cancel',
    title: 'Takes a lockout for a cancelled prompt.',
    criterion: 'takes-no-for-an-answer',
    edits: [
      { find: `if (/locked out/i.test(text))`, replace: `if (text === '')` },
      { find: `/cancel|Authentication failed/i`, replace: `/cancel|Authentication failed|locked out/i` },
    ],
  },
  {
    id: 'unguarded-where-nobody-is-enrolled',
    title: 'Stores the key without a guard where nobody is enrolled.',
    criterion: 'takes-no-for-an-answer',
    edits: [
      {
        find: `    if (hasOwner && !secureStore.canUseBiometricAuthentication()) throw unable('unavailable');
`,
        replace: ``,
      },
      {
        find: `requireAuthentication: hasOwner, keychainAccessible`,
        replace: `requireAuthentication: hasOwner && secureStore.canUseBiometricAuthentication(), keychainAccessible`,
      },
    ],
  },
  {
    id: 'answers-from-memory',
    title: 'Answers from a cache of what was read before, locked or not.',
    criterion: 'locked-is-locked',
    edits: [
      {
        find: `  const get = (name: string): Promise<string | null> =>
    whileOpen(async (own) => {`,
        replace: `  const cache = new Map<string, string>();
  const get = async (name: string): Promise<string | null> => cache.get(name) ??
    whileOpen(async (own) => {`,
      },
      {
        find: `      if (record !== null && value === null) throw corrupt(name);`,
        replace: `      if (record !== null && value === null) throw corrupt(name);
      if (value !== null) cache.set(name, value);`,
      },
    ],
  },
  {
    id: 'locks-in-name-only',
    title: 'Changes the status and keeps the key.',
    criterion: 'locked-is-locked',
    edits: [
      {
        find: `    if (opened) store.setState({ status: 'locked', ...CLOSED });
    opened = null;`,
        replace: `    if (opened) store.setState({ status: 'locked', ...CLOSED });`,
      },
    ],
  },
  {
    id: 'timer-only',
    title: 'Locks by a timer, which stands still in the background.',
    criterion: 'locks-in-the-background',
    edits: [
      {
        find: `    if (next === 'background') leftAtMs = Date.now();
    if (next !== 'active' || leftAtMs === null) return;`,
        replace: `    if (next === 'background') timer = setTimeout(lock, lockAfterMs);
    else clearTimeout(timer);
    if (next !== 'active' || leftAtMs === null) return;`,
      },
      {
        find: `  let leftAtMs: number | null = null;`,
        replace: `  let leftAtMs: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;`,
      },
    ],
  },
  {
    id: 'trusts-the-clock',
    title: 'Stays open when the clock was set back.',
    criterion: 'locks-in-the-background',
    edits: [{ find: `awayMs >= 0 && awayMs < limitMs`, replace: `awayMs < limitMs` }],
  },
  {
    id: 'locks-at-once',
    title: 'Locks whenever the app goes to the background.',
    criterion: 'locks-in-the-background',
    edits: [
      { find: `if (next === 'background') leftAtMs = Date.now();`, replace: `if (next === 'background') lock();` },
    ],
  },
  {
    id: 'fixed-nonce',
    title: 'Uses one nonce for all.',
    criterion: 'fresh-nonces',
    edits: [
      {
        find: `const nonce = crypto.randomBytes(NONCE_BYTES);`,
        replace: `const nonce = crypto.Buffer.alloc(NONCE_BYTES, 7);`,
      },
    ],
  },
  {
    id: 'nonce-by-counter',
    title: 'Counts nonces in memory, and begins anew at each launch.',
    criterion: 'fresh-nonces',
    edits: [
      {
        find: `const nonce = crypto.randomBytes(NONCE_BYTES);`,
        replace: `const nonce = crypto.Buffer.alloc(NONCE_BYTES);
  used += 1;
  nonce.writeUInt32BE(used, 8);`,
      },
      {
        find: `const CLOSED =`,
        replace: `let used = 0;
const CLOSED =`,
      },
    ],
  },
  {
    id: 'nonce-from-the-name',
    title: 'Makes the nonce from the name.',
    criterion: 'fresh-nonces',
    edits: [
      {
        find: `const nonce = crypto.randomBytes(NONCE_BYTES);`,
        replace: `const nonce = crypto.createHash('sha256').update(place[1]).digest().subarray(0, NONCE_BYTES);`,
      },
    ],
  },
  {
    id: 'name-not-bound',
    title: 'Authenticates all but the name: a record can be moved.',
    criterion: 'bound-to-its-name',
    edits: [{ find: `JSON.stringify([...place, version])`, replace: `JSON.stringify([place[0], version])` }],
  },
  {
    id: 'version-not-bound',
    title: 'Leaves the key version out of the additional data.',
    criterion: 'bound-to-its-name',
    edits: [{ find: `JSON.stringify([...place, version])`, replace: `JSON.stringify(place)` }],
  },
  {
    id: 'namespace-not-bound',
    title: 'Leaves the namespace out of the additional data.',
    criterion: 'bound-to-its-name',
    edits: [{ find: `JSON.stringify([...place, version])`, replace: `JSON.stringify([place[1], version])` }],
  },
  {
    id: 'whole-vault-refused',
    title: 'Refuses everything once one record was found damaged.',
    criterion: 'corrupt-alone',
    edits: [
      {
        find: `      const record = await read(name);
      const value`,
        replace: `      const [bad] = store.getState().unreadable;
      if (bad !== undefined) throw corrupt(bad);
      const record = await read(name);
      const value`,
      },
    ],
  },
  {
    id: 'corrupt-is-missing',
    title: 'Says that there is nothing where it cannot read.',
    criterion: 'corrupt-alone',
    edits: [
      {
        find: `      if (record !== null && value === null) throw corrupt(name);
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'corrupt-is-removed',
    title: 'Removes what it cannot read.',
    criterion: 'corrupt-alone',
    edits: [
      {
        find: `if (record !== null && value === null) throw corrupt(name);`,
        replace: `if (record !== null && value === null) {
        await asyncStorage.removeItem(placeOf(name));
        throw corrupt(name);
      }`,
      },
    ],
  },
  {
    id: 'takes-short-tags',
    title: 'Takes a tag that was cut short: a forger has to guess four bytes, not sixteen.',
    criterion: 'corrupt-alone',
    edits: [
      {
        find: `  if (!found || bytes.length < NONCE_BYTES + TAG_BYTES) return null;`,
        replace: `  if (!found) return null;`,
      },
    ],
  },
  {
    id: 'values-in-the-keychain',
    title: 'Puts values into the keychain as well, which takes 2,048 bytes at most.',
    criterion: 'keeps-values',
    edits: [
      {
        find: `    return asyncStorage.setItem(placeOf(name), record).catch(rethrowAsStorageError);`,
        replace: `    const place = \`vault.\${namespace}.\${quickCrypto.createHash('sha256').update(name).digest('hex')}\`;
    return secureStore
      .setItemAsync(place, record)
      .then(() => asyncStorage.setItem(placeOf(name), record))
      .catch(rethrowAsStorageError);`,
      },
    ],
  },
  {
    id: 'empty-is-missing',
    title: 'Takes the empty text for a missing value.',
    criterion: 'keeps-values',
    edits: [
      {
        find: `const value = record === null ? null : decrypt(own, name, record);`,
        replace: `const value = record === null ? null : decrypt(own, name, record) || null;`,
      },
      {
        find: `      if (record !== null && value === null) throw corrupt(name);
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'removes-before-it-writes',
    title: 'Removes the old record before it writes the new one.',
    criterion: 'whole-or-old',
    edits: [
      {
        find: `    return asyncStorage.setItem(placeOf(name), record).catch(rethrowAsStorageError);`,
        replace: `    return asyncStorage
      .removeItem(placeOf(name))
      .then(() => asyncStorage.setItem(placeOf(name), record))
      .catch(rethrowAsStorageError);`,
      },
    ],
  },
  {
    id: 'resolves-before-it-is-stored',
    title: 'Says stored before it is.',
    criterion: 'whole-or-old',
    edits: [
      {
        find: `      await write(own, name, value);
      noteReadable(name, true);`,
        replace: `      write(own, name, value).catch(() => undefined);
      noteReadable(name, true);`,
      },
    ],
  },
  {
    id: 'no-room-is-no-error',
    title: 'Hides that there was no room.',
    criterion: 'whole-or-old',
    edits: [
      {
        find: `      await write(own, name, value);
      noteReadable(name, true);`,
        replace: `      await write(own, name, value).catch(() => undefined);
      noteReadable(name, true);`,
      },
    ],
  },
  {
    id: 'new-values-only',
    title: 'Uses the new key for new values, and leaves the old ones as they are.',
    criterion: 'rotates',
    edits: [
      {
        find: `    for (const name of await inTurn(listNames)) await inTurn(() => renew(own, name));
    await replaceRing(own, { ...own.ring, previous: null });
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'rotates-by-itself',
    title: 'Begins to rotate as soon as the key is due.',
    criterion: 'rotates',
    edits: [
      {
        find: `if (opened?.ring.previous)`,
        replace: `if (opened?.ring.previous || (opened && store.getState().rotation === 'due'))`,
      },
    ],
  },
  {
    id: 'never-due',
    title: 'Never asks how old the key is.',
    criterion: 'rotates',
    edits: [{ find: `Date.now() - madeAtMs >= maxKeyAgeMs`, replace: `madeAtMs > Date.now() + maxKeyAgeMs` }],
  },
  {
    id: 'due-for-ever',
    title: 'Counts the age from the first key of all.',
    criterion: 'rotates',
    edits: [
      {
        find: `current: newKey(current.version + 1)`,
        replace: `current: { ...newKey(current.version + 1), madeAtMs: current.madeAtMs }`,
      },
    ],
  },
  {
    id: 'old-key-first',
    title: 'Replaces the old key before any record was encrypted anew.',
    criterion: 'rotation-survives',
    edits: [
      {
        find: `      own.ring = await keep(ring);`,
        replace: `      own.ring = ring;
      await keep({ ...ring, previous: null });`,
      },
    ],
  },
  {
    id: 'does-not-go-on',
    title: 'Leaves a rotation that was cut off as it is.',
    criterion: 'rotation-survives',
    edits: [
      {
        find: `    if (opened?.ring.previous) opened.rotate().catch(() => undefined);
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'third-key',
    title: 'Begins a new rotation on top of one that was cut off.',
    criterion: 'rotation-survives',
    edits: [{ find: `    if (!previous) await replaceRing`, replace: `    await replaceRing` }],
  },
  {
    id: 'corrupt-stops-rotation',
    title: 'Stops at a record that nobody can read.',
    criterion: 'rotation-survives',
    edits: [
      {
        find: `    if (value !== null) await write(own, name, value);`,
        replace: `    if (value === null) throw corrupt(name);
    await write(own, name, value);`,
      },
    ],
  },
  {
    id: 'overwrites-newer',
    title: 'Lets a put come between the read and the write of a rotation.',
    criterion: 'rotation-beside-writes',
    edits: [{ find: `await inTurn(() => renew(own, name));`, replace: `await renew(own, name);` }],
  },
  {
    id: 'remove-comes-late',
    title: 'Waits for start before a remove takes its turn, so that a later put overtakes it.',
    criterion: 'keeps-values',
    edits: [
      {
        find: `  const remove = (name: string): Promise<void> =>
    inTurn(async () => {
      await prepare();`,
        replace: `  const remove = (name: string): Promise<void> =>
    start().then(() => inTurn(async () => {`,
      },
      {
        find: `      noteReadable(name, true);
    });

  const names`,
        replace: `      noteReadable(name, true);
    }));

  const names`,
      },
    ],
  },
  {
    id: 'rotates-twice',
    title: 'Begins a second rotation beside the first.',
    criterion: 'rotation-beside-writes',
    edits: [{ find: `rotate: singleFlight(() => renewAll(own))`, replace: `rotate: () => renewAll(own)` }],
  },
  {
    id: 'new-key-when-lost',
    title: 'Makes a new key when the old one is lost, and says nothing.',
    criterion: 'key-lost',
    edits: [
      {
        find: `    if ((await listNames()).length > 0) throw unable('key-lost');
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'clears-when-lost',
    title: 'Clears away what nobody can read any more.',
    criterion: 'key-lost',
    edits: [
      {
        find: `    if ((await listNames()).length > 0) throw unable('key-lost');`,
        replace: `    if ((await listNames()).length > 0) {
      await erase();
      throw unable('key-lost');
    }`,
      },
    ],
  },
  {
    id: 'lost-is-locked',
    title: 'Rejects with locked for ever when the key is lost.',
    criterion: 'key-lost',
    edits: [{ find: `throw unable('key-lost');`, replace: `throw locked();` }],
  },
  {
    id: 'asks-before-it-wipes',
    title: 'Asks for a face before it destroys anything.',
    criterion: 'wipes',
    edits: [
      {
        find: `      await asyncStorage.removeItem(markerKey).catch(() => undefined);`,
        replace: `      await secureStore.getItemAsync(keyItem).catch(rethrowAsPromptError);
      await asyncStorage.removeItem(markerKey).catch(() => undefined);`,
      },
    ],
  },
  {
    id: 'keeps-the-key',
    title: 'Removes the records and keeps the key for the next ones.',
    criterion: 'wipes',
    edits: [
      {
        find: `      await asyncStorage.removeItem(markerKey).catch(() => undefined);
      await erase();`,
        replace: `      const places = (await listNames()).map(placeOf);
      await asyncStorage.multiRemove(places).catch(rethrowAsStorageError);
      store.setState({ status: 'locked', unreadable: [] });`,
      },
    ],
  },
  {
    id: 'key-only',
    title: 'Destroys the key and leaves the records lying.',
    criterion: 'wipes',
    edits: [
      {
        find: `    if (records.length > 0) await asyncStorage.multiRemove(records).catch(rethrowAsStorageError);
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'records-first',
    title: 'Removes the records first, and dies before the key.',
    criterion: 'wipe-survives',
    edits: [
      {
        find: `      await asyncStorage.removeItem(markerKey).catch(() => undefined);
`,
        replace: ``,
      },
      {
        find: `    await secureStore.deleteItemAsync(keyItem).catch(rethrowAsStorageError);
    const records`,
        replace: `    const records`,
      },
      {
        find: `await asyncStorage.multiRemove(records).catch(rethrowAsStorageError);`,
        replace: `await asyncStorage.multiRemove(records).catch(rethrowAsStorageError);
    await secureStore.deleteItemAsync(keyItem).catch(rethrowAsStorageError);`,
      },
    ],
  },
  {
    id: 'key-before-records-with-marker',
    title: 'Keeps a marker, and removes the records while the key still opens them.',
    criterion: 'wipe-survives',
    edits: [
      {
        find: `    await secureStore.deleteItemAsync(keyItem).catch(rethrowAsStorageError);
    const records`,
        replace: `    const records`,
      },
      {
        find: `await asyncStorage.multiRemove(records).catch(rethrowAsStorageError);`,
        replace: `await asyncStorage.multiRemove(records).catch(rethrowAsStorageError);
    await secureStore.deleteItemAsync(keyItem).catch(rethrowAsStorageError);`,
      },
    ],
  },
  {
    id: 'no-marker',
    title: 'Begins a wipe without a note of it.',
    criterion: 'wipe-survives',
    edits: [
      {
        find: `      await asyncStorage.removeItem(markerKey).catch(() => undefined);
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'wipe-needs-room',
    title: 'Writes a note before it wipes, and gives up where there is no room.',
    criterion: 'wipe-survives',
    edits: [
      {
        find: `await asyncStorage.removeItem(markerKey).catch(() => undefined);`,
        replace: `await asyncStorage.setItem(\`vault/\${namespace}/wiping\`, 'yes').catch(rethrowAsStorageError);
      await asyncStorage.multiRemove([markerKey, \`vault/\${namespace}/wiping\`]).catch(rethrowAsStorageError);`,
      },
    ],
  },
  {
    id: 'memory-survives-the-wipe',
    title: 'Forgets to forget the key in memory.',
    criterion: 'nothing-left-by-work',
    edits: [
      {
        find: `  function wipe(): Promise<void> {
    lock();`,
        replace: `  function wipe(): Promise<void> {`,
      },
    ],
  },
  {
    id: 'writes-behind-the-wipe',
    title: 'Wipes at once, and lets a put that has waited write after it.',
    criterion: 'nothing-left-by-work',
    edits: [
      {
        find: `    lock();
    return inTurn(async () => {
      isSound = false;`,
        replace: `    lock();
    return Promise.resolve().then(async () => {
      isSound = false;`,
      },
      {
        find: `      stillOpen(own);
      return job(own);`,
        replace: `      return job(own);`,
      },
    ],
  },
  {
    id: 'unlocked-after-the-wipe',
    title: 'Lets an unlock from before the wipe make a key after it.',
    criterion: 'nothing-left-by-work',
    edits: [
      {
        find: `      if (locks !== locksBefore) throw locked();
      const ring`,
        replace: `      const ring`,
      },
      {
        find: `      if (locks !== locksBefore) throw locked();
      const own`,
        replace: `      const own`,
      },
    ],
  },
  {
    id: 'old-installation-reused',
    title: 'Uses the key that an earlier installation has left.',
    criterion: 'earlier-installation',
    edits: [
      {
        find: `if (marker === null) await erase();`,
        replace: `if (marker !== null && marker !== 'yes') await erase();`,
      },
    ],
  },
  {
    id: 'old-installation-read',
    title: 'Reads an old key, prompt and all, to see whether there is one.',
    criterion: 'earlier-installation',
    edits: [
      {
        find: `if (marker === null) await erase();`,
        replace: `if (marker === null && (await secureStore.getItemAsync(keyItem)) !== null) await erase();`,
      },
    ],
  },
  {
    id: 'namespace-as-prefix',
    title: 'Finds the records of every namespace that begins with its own.',
    criterion: 'namespaces-apart',
    edits: [
      {
        find: `const recordPrefix = \`vault/\${namespace}/record/\`;`,
        replace: `const recordPrefix = \`vault/record/\${namespace}\`;`,
      },
    ],
  },
  {
    id: 'wipes-all',
    title: 'Clears the whole storage.',
    criterion: 'namespaces-apart',
    edits: [
      {
        find: `if (records.length > 0) await asyncStorage.multiRemove(records).catch(rethrowAsStorageError);`,
        replace: `if (records.length > 0) await asyncStorage.clear().catch(rethrowAsStorageError);`,
      },
    ],
  },
  {
    id: 'asleep-when-the-screen-is',
    title: 'Keeps the key of background work where a locked screen hides it.',
    criterion: 'gate-none',
    edits: [{ find: `: AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY;`, replace: `: WHEN_UNLOCKED_THIS_DEVICE_ONLY;` }],
  },
  {
    id: 'background-work-locked',
    title: 'Locks the vault of background work in the background.',
    criterion: 'gate-none',
    edits: [{ find: `if (hasOwner && !isWithin(`, replace: `if (!isWithin(` }],
  },
  {
    id: 'goes-on-after-errors',
    title: 'Goes on with a rotation when a record could not be written, and lets the old key go.',
    criterion: 'keeps-the-old-key-in-doubt',
    edits: [
      {
        find: `await inTurn(() => renew(own, name));`,
        replace: `await inTurn(() => renew(own, name)).catch(() => undefined);`,
      },
    ],
  },
  {
    id: 'unread-is-done',
    title: 'Takes a record that could not be read for one that is not there, and lets the old key go.',
    criterion: 'keeps-the-old-key-in-doubt',
    edits: [
      {
        find: `    const record = await read(name);
    if (record === null || partsOf`,
        replace: `    const record = await read(name).catch(() => null);
    if (record === null || partsOf`,
      },
    ],
  },
  {
    id: 'reads-before-it-rotates',
    title: 'Reads the key item before a rotation, although it has the key.',
    criterion: 'new-faces',
    edits: [
      {
        find: `    await theOpened().rotate();`,
        replace: `    const own = theOpened();
    if ((await secureStore.getItemAsync(keyItem).catch(rethrowAsPromptError)) === null) throw unable('key-lost');
    await own.rotate();`,
      },
    ],
  },
  {
    id: 'listener-left',
    title: 'Leaves its listener behind.',
    criterion: 'ends-cleanly',
    edits: [
      {
        find: `    appStateListener.remove();
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'answers-after-dispose',
    title: 'Works on after dispose.',
    criterion: 'ends-cleanly',
    edits: [
      {
        find: `    isDisposed = true;
`,
        replace: ``,
      },
    ],
  },
  {
    id: 'unheard-rotation',
    title: 'Lets nobody hear that a rotation in the background failed.',
    criterion: 'ends-cleanly',
    edits: [{ find: `opened.rotate().catch(() => undefined);`, replace: `void opened.rotate();` }],
  },
  {
    id: 'writes-thrice',
    title: 'Writes each record three times, to be safe.',
    criterion: 'spends-little',
    edits: [
      {
        find: `      await write(own, name, value);
      noteReadable(name, true);`,
        replace: `      for (let n = 0; n < 3; n += 1) await write(own, name, value);
      noteReadable(name, true);`,
      },
    ],
  },
  {
    id: 'stores-the-key-with-each-record',
    title: 'Stores the key item again with each record that it writes.',
    criterion: 'spends-little',
    edits: [
      {
        find: `    return asyncStorage.setItem(placeOf(name), record).catch(rethrowAsStorageError);`,
        replace: `    return keep(own.ring).then(() => asyncStorage.setItem(placeOf(name), record).catch(rethrowAsStorageError));`,
      },
    ],
  },
];

const HEAD = `import type { CreateVault, VaultState } from '#contract/secure-storage';
`;

export const lazy: LazyAttempt[] = [
  ...lazyAttempts({
    slug: 'secure-storage',
    create: 'createVault',
    state: {
      type: 'VaultState',
      whenDone: "{ status: 'unlocked', keyVersion: 1, rotation: 'none', unreadable: [] }",
      whenWaiting: "{ status: 'locked', keyVersion: null, rotation: 'none', unreadable: [] }",
    },
    promises: { start: '', unlock: '', put: '', get: 'null', remove: '', names: '[]', rotate: '', wipe: '' },
    others: { lock: '() => {}' },
  }),
  {
    id: 'tight-loop',
    title: 'Asks for the key without a pause until the owner gives in.',
    source: `${HEAD}
export const createVault: CreateVault = ({ device, namespace }) => {
  const values = new Map<string, string>();
  let state: VaultState = { status: 'locked', keyVersion: null, rotation: 'none', unreadable: [] };
  const place = 'vault.' + namespace;
  const unlock = async () => {
    await device.secureStore.setItemAsync(place, 'key', { requireAuthentication: true });
    for (;;) {
      const key = await device.secureStore.getItemAsync(place).catch(() => null);
      if (key === 'open') break;
    }
    state = { ...state, status: 'unlocked', keyVersion: 1 };
  };
  return {
    start: async () => {},
    unlock,
    lock: () => {},
    put: async (name, value) => {
      values.set(name, value);
    },
    get: async (name) => values.get(name) ?? null,
    remove: async (name) => {
      values.delete(name);
    },
    names: async () => [...values.keys()],
    rotate: async () => {},
    wipe: async () => values.clear(),
    getState: () => state,
    subscribe: () => () => {},
    dispose: () => {},
  };
};
`,
  },
  {
    id: 'by-heart',
    title: 'Keeps what the examples look at: a guarded key item, ciphertext on disk, and the codes they want to hear.',
    source: `${HEAD}
const fail = (code: string) => Object.assign(new Error(code), { code });

export const createVault: CreateVault = ({ device, namespace, gate }) => {
  const { asyncStorage, secureStore, quickCrypto } = device;
  const { Buffer } = quickCrypto;
  const place = 'vault.' + namespace;
  const locked: VaultState = { status: 'locked', keyVersion: null, rotation: 'none', unreadable: [] };
  let state = locked;
  let key: Buffer | null = null;
  const listeners = new Set<() => void>();
  const tell = (next: VaultState) => {
    state = next;
    for (const listener of listeners) listener();
  };
  const need = () => {
    if (!key) throw fail('locked');
    return key;
  };
  const keys = async () => (await asyncStorage.getAllKeys()).filter((one) => one.startsWith(place));
  const store = async (next: Buffer) => {
    key = next;
    await secureStore.setItemAsync(place, next.toString('hex'), {
      requireAuthentication: gate !== 'none',
      keychainAccessible: secureStore.WHEN_UNLOCKED_THIS_DEVICE_ONLY,
    });
  };
  const open = async (): Promise<void> => {
    const item = await secureStore.getItemAsync(place).catch(() => {
      throw fail('cancelled');
    });
    if (item === null) await store(quickCrypto.randomBytes(32));
    else key = Buffer.from(item, 'hex');
    tell({ ...state, status: 'unlocked', keyVersion: 1 });
  };
  const lock = () => {
    key = null;
    tell(locked);
  };
  const put = async (name: string, value: string) => {
    const nonce = quickCrypto.randomBytes(12);
    const cipher = quickCrypto.createCipheriv('aes-256-gcm', need(), nonce);
    const body = Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    await asyncStorage.setItem(place + name, body.toString('base64'));
  };
  const get = async (name: string) => {
    const secret = need();
    const text = await asyncStorage.getItem(place + name);
    if (text === null) return null;
    const bytes = Buffer.from(text, 'base64');
    const decipher = quickCrypto.createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(-16));
    try {
      return decipher.update(bytes.subarray(12, -16)).toString('utf8') + decipher.final('utf8');
    } catch {
      throw fail('corrupt');
    }
  };
  return {
    start: async () => {},
    unlock: open,
    lock,
    put,
    get,
    remove: (name) => asyncStorage.removeItem(place + name),
    names: async () => (await keys()).map((one) => one.slice(place.length)),
    rotate: async () => {
      need();
      const names = (await keys()).map((one) => one.slice(place.length));
      const values = await Promise.all(names.map(get));
      await store(quickCrypto.randomBytes(32));
      for (const [n, name] of names.entries()) await put(name, values[n] ?? '');
      tell({ ...state, keyVersion: 2 });
    },
    wipe: async () => {
      await secureStore.deleteItemAsync(place);
      await asyncStorage.multiRemove(await keys());
      lock();
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
