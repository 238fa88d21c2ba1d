// Wrong turns that the grade must catch, each by the criterion that names it.
import type { LazyAttempt, Mistake } from '#course';

const RESTORED = `entries = records.map(([place, kept]) => createEntry(place, kept, null));`;

export const mistakes: Mistake[] = [
  {
    id: 'whole-file-in-memory',
    title: 'Reads the whole file for each part.',
    criterion: 'slices-only',
    edits: [
      {
        find: `return await handle.readBytes(length);`,
        replace: `return (await file.bytes()).slice(offset, offset + length);`,
      },
    ],
  },
  {
    id: 'fixed-part-size',
    title: 'Cuts parts of a size of its own.',
    criterion: 'slices-only',
    edits: [
      {
        find: `return { is: 'created', remote: { id, partSize } };`,
        replace: `return { is: 'created', remote: { id, partSize: Math.max(partSize, 262_144) } };`,
      },
    ],
  },
  {
    id: 'starts-over',
    title: 'Begins with the first part after every restart.',
    criterion: 'asks-the-server',
    edits: [
      { find: RESTORED, replace: `entries = records.map(([place, kept]) => createEntry(place, kept, new Map()));` },
    ],
  },
  {
    id: 'trusts-its-notes',
    title: 'Notes the parts that have arrived, and after a restart goes by that without asking.',
    criterion: 'asks-the-server',
    edits: [
      {
        find: `void change(entry, { sentBytes: bytesOf(entry.kept, etags) });`,
        replace: `void change(entry, { sentBytes: bytesOf(entry.kept, etags), ...{ tags: [...etags] } });`,
      },
      {
        find: RESTORED,
        replace: `const tagsOf = (one: object) => new Map(('tags' in one ? one.tags : []) as [number, string][]);
    entries = records.map(([place, kept]) => createEntry(place, kept, tagsOf(kept)));`,
      },
    ],
  },
  {
    id: 'asks-but-sends-all',
    title: 'Asks the server after a restart, and sends every part all the same.',
    criterion: 'asks-the-server',
    edits: [
      {
        find: `acknowledged(entry, new Map(outcome.parts.map(({ part, etag }) => [part, etag])));`,
        replace: `entry.etags = new Map();`,
      },
    ],
  },
  {
    id: 'upload-id-not-stored',
    title: 'Never stores the upload id, and creates the upload anew at each launch.',
    criterion: 'one-create-key',
    edits: [{ find: `JSON.stringify(entry.kept)));`, replace: `JSON.stringify({ ...entry.kept, remote: null })));` }],
  },
  {
    id: 'new-create-key-after-restart',
    title: 'Makes a new key for create at each launch, so that one file has two uploads.',
    criterion: 'one-create-key',
    edits: [
      {
        find: RESTORED,
        replace: `entries = records.map(([place, kept]) => createEntry(place, { ...kept, createKey: crypto.randomUUID() }, null));`,
      },
    ],
  },
  {
    id: 'new-create-key-per-try',
    title: 'Makes a new key for each try of create.',
    criterion: 'one-create-key',
    edits: [{ find: `size, sha256 }, kept.createKey);`, replace: `size, sha256 }, crypto.randomUUID());` }],
  },
  {
    id: 'places-per-upload',
    title: 'Counts the parts in flight for each upload, not for all.',
    criterion: 'three-in-flight',
    edits: [
      {
        find: `for (const entry of ready) {`,
        replace: `for (const entry of ready) {
      places = concurrency - [...entry.tasks.values()].filter(holdsPlace).length;`,
      },
    ],
  },
  {
    id: 'one-at-a-time',
    title: 'Sends one part after another.',
    criterion: 'three-in-flight',
    edits: [{ find: `const PARTS_IN_FLIGHT = 3;`, replace: `const PARTS_IN_FLIGHT = 1;` }],
  },
  {
    id: 'newest-first',
    title: 'Sends the newest upload first.',
    criterion: 'three-in-flight',
    edits: [{ find: `for (const entry of ready) {`, replace: `for (const entry of ready.toReversed()) {` }],
  },
  {
    id: 'accepted-before-stored',
    title: 'Resolves add without waiting for the write of its record.',
    criterion: 'safe-before-accepted',
    edits: [
      {
        find: `await disk.setItem(place, JSON.stringify(kept));`,
        replace: `void isDone(disk.setItem(place, JSON.stringify(kept)));`,
      },
    ],
  },
  {
    id: 'picked-file-used-in-place',
    title: 'Sends the picked file from where it lies.',
    criterion: 'safe-before-accepted',
    edits: [
      { find: `await new fileSystem.File(uri).copy(copy, { overwrite: true });`, replace: `` },
      { find: `const id = crypto.randomUUID();`, replace: `const id = uri;` },
      {
        find: `const file = (name: string): File => new fileSystem.File(folder, name);`,
        replace: `const file = (name: string): File => new fileSystem.File(name);`,
      },
    ],
  },
  {
    id: 'hash-of-nothing',
    title: 'Sends no hash of the file to the server.',
    criterion: 'safe-before-accepted',
    edits: [
      { find: `const sha256 = await copy.digest('SHA-256');`, replace: `const sha256 = await copy.digest('MD5');` },
    ],
  },
  {
    id: 'token-to-the-storage-host',
    title: 'Sends parts through the fetch that adds the token.',
    criterion: 'no-token-abroad',
    edits: [{ find: `const response = await fetch(url,`, replace: `const response = await ask(url,` }],
  },
  {
    id: 'expired-link-counted',
    title: 'Counts an expired link as a failure of its part.',
    criterion: 'renews-links',
    edits: [
      { find: `if (task.expiredLinks === EXPIRED_LINKS) tryLater`, replace: `if (task.expiredLinks > 0) tryLater` },
    ],
  },
  {
    id: 'expired-link-kept',
    title: 'Uses the same link again after a 403.',
    criterion: 'renews-links',
    edits: [
      {
        find: `forget(remoteId, asked);\n        return 'link-expired';`,
        replace: `return 'link-expired';`,
      },
    ],
  },
  {
    id: 'links-renewed-for-ever',
    title: 'Fetches a new link after each 403, without an end.',
    criterion: 'renews-links',
    edits: [
      {
        find: `if (task.expiredLinks === EXPIRED_LINKS) tryLater(entry, task, null);`,
        replace: `if (task.expiredLinks === EXPIRED_LINKS) {
          task.pause = { timer: setTimeout(() => { task.pause = null; pump(); }, 1_000), isOrdered: false };
        }`,
      },
    ],
  },
  {
    id: 'all-links-at-the-start',
    title: 'Fetches the links of all parts before the first one is sent.',
    criterion: 'links-when-needed',
    edits: [
      {
        find: `asked.catch(() => forget(remoteId, asked));`,
        replace: `asked.catch(() => forget(remoteId, asked));
    const [next, ...rest] = ahead.filter((one) => !known.has(one));
    if (next !== undefined) void linksFor(remoteId, next, rest).catch(() => undefined);`,
      },
    ],
  },
  {
    id: 'a-link-at-a-time',
    title: 'Fetches a link for each part in a request of its own.',
    criterion: 'links-when-needed',
    edits: [{ find: `const LINKS_AT_ONCE = 10;`, replace: `const LINKS_AT_ONCE = 1;` }],
  },
  {
    id: 'one-bad-part-fails-all',
    title: 'Lets one failed part fail the whole upload.',
    criterion: 'retries-alone',
    edits: [{ find: `if (task.failures >= TRIES) {`, replace: `if (task.failures >= 1) {` }],
  },
  {
    id: 'one-bad-part-restarts-all',
    title: 'Begins all parts again after one has failed.',
    criterion: 'retries-alone',
    edits: [
      {
        find: `const goOn = () => {\n      task.pause = null;`,
        replace: `const goOn = () => {\n      task.pause = null;\n      entry.etags = new Map();`,
      },
    ],
  },
  {
    id: 'never-gives-up',
    title: 'Tries a part without an end.',
    criterion: 'retries-alone',
    edits: [{ find: `const TRIES = 8;`, replace: `const TRIES = 1_000;` }],
  },
  {
    id: 'no-jitter',
    title: 'Takes the whole pause every time.',
    criterion: 'retries-alone',
    edits: [
      {
        find: `fullJitterMs(task.failures, BACKOFF_FIRST_MS, BACKOFF_CAP_MS);`,
        replace: `Math.min(BACKOFF_CAP_MS, BACKOFF_FIRST_MS * 2 ** (task.failures - 1));`,
      },
    ],
  },
  {
    id: 'no-cap',
    title: 'Doubles the pause without an end.',
    criterion: 'retries-alone',
    edits: [{ find: `const BACKOFF_CAP_MS = 30_000;`, replace: `const BACKOFF_CAP_MS = 3_000_000;` }],
  },
  {
    id: 'portal-taken-for-an-acknowledgement',
    title: 'Takes every 200 to a PUT for an acknowledgement.',
    criterion: 'retries-alone',
    edits: [
      {
        find: `const etag = response.headers.get('ETag');`,
        replace: `const etag = response.headers.get('ETag') ?? '""';`,
      },
    ],
  },
  {
    id: 'resume-starts-over',
    title: 'Sends all parts again when a person resumes a failed upload.',
    criterion: 'retries-alone',
    edits: [
      {
        find: `entry.remedies.clear();
      entry.etags = null;`,
        replace: `entry.remedies.clear();
      entry.etags = new Map();`,
      },
    ],
  },
  {
    id: 'retry-after-ignored',
    title: 'Does not look at Retry-After.',
    criterion: 'obeys-retry-after',
    edits: [
      {
        find: `({ status, retryAfterMs: retryAfterMs(headers) });`,
        replace: `({ status, retryAfterMs: headers.has('X-Never') ? retryAfterMs(headers) : null });`,
      },
    ],
  },
  {
    id: 'wake-cuts-retry-after',
    title: 'Tries at once when the network is back, although the server has asked for a pause.',
    criterion: 'obeys-retry-after',
    edits: [{ find: `if (!task.pause || task.pause.isOrdered) continue;`, replace: `if (!task.pause) continue;` }],
  },
  {
    id: 'counts-what-has-left',
    title: 'Counts bytes as sent when they leave, and takes them back when the part fails.',
    criterion: 'honest-progress',
    edits: [
      {
        find: `return { id, fileName, status: statusOf(entry), sentBytes,`,
        replace: `const partsOut = [...entry.tasks].filter(([step, task]) => typeof step === 'number' && isOut(task)).length;
    const leaving = partsOut * (entry.kept.remote?.partSize ?? 0);
    return { id, fileName, status: statusOf(entry), sentBytes: Math.min(sizeBytes, sentBytes + leaving),`,
      },
    ],
  },
  {
    id: 'all-bytes-while-uploading',
    title: 'Shows all bytes as sent before the upload completes.',
    criterion: 'honest-progress',
    edits: [{ find: `if (isWhole(entry)) return 'completing';`, replace: `` }],
  },
  {
    id: 'bar-empty-after-restart',
    title: 'Shows nothing as sent after a restart until the server has been asked.',
    criterion: 'honest-progress',
    edits: [
      {
        find: RESTORED,
        replace: `entries = records.map(([place, kept]) => createEntry(place, { ...kept, sentBytes: 0 }, null));`,
      },
    ],
  },
  {
    id: 'completed-as-they-came',
    title: 'Lists the parts for complete in the order in which they arrived.',
    criterion: 'completes-in-order',
    edits: [{ find: `.sort((a, b) => a.part - b.part);`, replace: `;` }],
  },
  {
    id: 'quotes-stripped',
    title: 'Takes the quotes off the tags.',
    criterion: 'completes-in-order',
    edits: [{ find: `return { etag };`, replace: `return { etag: etag.replaceAll('"', '') };` }],
  },
  {
    id: 'lost-complete-is-a-failure',
    title: 'Fails an upload when the answer to complete is lost.',
    criterion: 'survives-lost-complete',
    edits: [
      {
        find: `else tryLater(entry, task, retryAfterMs);`,
        replace: `else if (step === 'complete' && status === 0) fail(entry, 'server');
    else tryLater(entry, task, retryAfterMs);`,
      },
    ],
  },
  {
    id: 'completed-not-noticed',
    title: 'Does not look whether the upload is completed already when it asks.',
    criterion: 'survives-lost-complete',
    edits: [
      {
        find: `return { parts: known, ...(typeof fileUrl === 'string' && { fileUrl }) };`,
        replace: `return { parts: typeof fileUrl === 'string' ? [] : known };`,
      },
    ],
  },
  {
    id: 'invalid-part-is-the-end',
    title: 'Fails an upload when complete is refused for a part.',
    criterion: 'mends-once',
    edits: [
      { find: `status === 400) remedy(entry, 'invalid-part');`, replace: `status === 400) fail(entry, 'server');` },
    ],
  },
  {
    id: 'invalid-part-sends-all',
    title: 'Sends all parts again when complete is refused for one.',
    criterion: 'mends-once',
    edits: [
      { find: `status === 400) remedy(entry, 'invalid-part');`, replace: `status === 400) remedy(entry, 'checksum');` },
    ],
  },
  {
    id: 'pause-lets-parts-go-on',
    title: 'Pauses without aborting what is out.',
    criterion: 'pauses-and-resumes',
    edits: [
      {
        find: `callOff(entry);
    const isStored = change(entry, { isPaused: true });`,
        replace: `const isStored = change(entry, { isPaused: true });`,
      },
    ],
  },
  {
    id: 'pause-in-memory',
    title: 'Forgets a pause at the next launch.',
    criterion: 'pauses-and-resumes',
    edits: [
      {
        find: `const isStored = change(entry, { isPaused: true });`,
        replace: `const isStored = Promise.resolve(true);
    entry.kept = { ...entry.kept, isPaused: true };`,
      },
    ],
  },
  {
    id: 'sends-offline',
    title: 'Takes the phone to be online, whatever netInfo says.',
    criterion: 'silent-offline',
    edits: [{ find: `network?.isConnected === true && (kept`, replace: `(network === null || true) && (kept` }],
  },
  {
    id: 'waits-out-the-pause',
    title: 'Waits for the end of a pause although the network is back.',
    criterion: 'silent-offline',
    edits: [{ find: `if (!task.pause || task.pause.isOrdered) continue;`, replace: `if (task) continue;` }],
  },
  {
    id: 'metered-network-used',
    title: 'Sends over mobile data what was to wait for Wi-Fi.',
    criterion: 'spares-metered',
    edits: [
      {
        find: `network?.isConnected === true && (kept.metered || !network.isExpensive);`,
        replace: `network?.isConnected === true && (kept.metered || !network.isExpensive || kept.id !== '');`,
      },
    ],
  },
  {
    id: 'metered-midway',
    title: 'Lets parts go on that were out when the network began to cost money.',
    criterion: 'spares-metered',
    edits: [
      {
        find: `if (!mayUseNetwork(entry)) callOff(entry);`,
        replace: `if (!mayUseNetwork(entry) && !isConnected) callOff(entry);`,
      },
    ],
  },
  {
    id: 'cancel-leaves-the-copy',
    title: 'Cancels without removing the copy.',
    criterion: 'cancels-for-good',
    edits: [{ find: `copies.remove(kept.id);\n    if (kept.remote`, replace: `if (kept.remote` }],
  },
  {
    id: 'cancel-completes-later',
    title: 'Cancels without stopping what is under way.',
    criterion: 'cancels-for-good',
    edits: [
      { find: `stop(entry);\n    await disk`, replace: `await disk` },
      { find: `entries = entries.filter((one) => one !== entry);`, replace: `entry.cancelling = null;` },
    ],
  },
  {
    id: 'cancel-in-memory',
    title: 'Cancels in memory: after a restart the upload is back.',
    criterion: 'cancels-for-good',
    edits: [{ find: `await disk.removeItem(entry.place).catch(rethrowAsStorageError);`, replace: `` }],
  },
  {
    id: 'cancel-tells-nobody',
    title: 'Never tells the server of a cancelled upload.',
    criterion: 'cancels-for-good',
    edits: [{ find: `target.abandon(kept.remote.id).catch(() => undefined);`, replace: `` }],
  },
  {
    id: 'copy-stays-when-done',
    title: 'Keeps the copy of an upload that is done.',
    criterion: 'leaves-no-copies',
    edits: [{ find: `void isStored.then((isIt) => isIt && copies.remove(entry.kept.id));`, replace: `` }],
  },
  {
    id: 'orphans-stay',
    title: 'Never looks for copies that an add has left when it was killed.',
    criterion: 'leaves-no-copies',
    edits: [{ find: `if (!needed.has(name)) remove(name);`, replace: `if (name === '') remove(name);` }],
  },
  {
    id: 'copy-removed-first',
    title: 'Removes the copy of an upload before its end is stored.',
    criterion: 'checks-the-copy',
    edits: [
      {
        find: `const isStored = change(entry, { fileUrl, sentBytes: entry.kept.sizeBytes });`,
        replace: `copies.remove(entry.kept.id);
    entry.etags = null;
    const isStored = change(entry, { fileUrl, sentBytes: entry.kept.sizeBytes });`,
      },
      {
        find: `return told.fileUrl === undefined ? { is: 'told', ...told } : { is: 'done', fileUrl: told.fileUrl };`,
        replace: `if (!copies.file(kept.id).exists) return { is: 'source-lost' };
      return told.fileUrl === undefined ? { is: 'told', ...told } : { is: 'done', fileUrl: told.fileUrl };`,
      },
    ],
  },
  {
    id: 'copy-not-checked',
    title: 'Sends whatever lies where the copy should be.',
    criterion: 'checks-the-copy',
    edits: [{ find: `if (!copy.exists || copy.size !== kept.sizeBytes) return`, replace: `if (!copy.exists) return` }],
  },
  {
    id: 'checksum-fails-at-once',
    title: 'Fails at the first wrong checksum.',
    criterion: 'heeds-the-checksum',
    edits: [
      { find: `status === 422) remedy(entry, 'checksum');`, replace: `status === 422) fail(entry, 'checksum');` },
    ],
  },
  {
    id: 'checksum-asks-the-server',
    title: 'Asks the server after a wrong checksum, which has all parts, and sends none.',
    criterion: 'heeds-the-checksum',
    edits: [
      {
        find: `entry.etags = new Map();
        void change(entry, { sentBytes: 0 });`,
        replace: `entry.etags = null;
        void change(entry, { sentBytes: 0 });`,
      },
    ],
  },
  {
    id: 'gone-is-the-end',
    title: 'Fails when the server has forgotten the upload.',
    criterion: 'begins-anew-once',
    edits: [{ find: `isGone) remedy(entry, 'gone');`, replace: `isGone) fail(entry, 'server');` }],
  },
  {
    id: 'gone-with-the-old-key',
    title: 'Creates again with the key of the upload that is gone.',
    criterion: 'begins-anew-once',
    edits: [
      {
        find: `remote: null, createKey: crypto.randomUUID(), sentBytes: 0 };`,
        replace: `remote: null, sentBytes: 0 };`,
      },
    ],
  },
  {
    id: 'begins-anew-for-ever',
    title: 'Begins anew each time the upload is gone.',
    criterion: 'begins-anew-once',
    edits: [{ find: `if (entry.remedies.has(what)) {`, replace: `if (entry.remedies.has(what) && what !== 'gone') {` }],
  },
  {
    id: 'expiry-by-own-clock',
    title: 'Holds the expiry of links against the clock of the phone.',
    criterion: 'trusts-no-clock',
    edits: [
      {
        find: `.then(({ urls }) => new Map(listed(urls, 'url')));`,
        replace: `.then(({ urls }) => {
      const fresh = (urls as { expiresAt: string }[]).filter(({ expiresAt }) => Date.parse(expiresAt) > Date.now());
      return new Map(listed(fresh, 'url'));
    });`,
      },
    ],
  },
  {
    id: 'date-by-own-clock',
    title: 'Holds the date of Retry-After against the clock of the phone.',
    criterion: 'trusts-no-clock',
    edits: [
      {
        find: `retryAfterMs: retryAfterMs(headers) });`,
        replace: `retryAfterMs: retryAfterMs(new Headers([['Retry-After', headers.get('Retry-After') ?? '']])) });`,
      },
    ],
  },
  {
    id: 'full-disk-swallowed',
    title: 'Accepts a file although its record could not be stored.',
    criterion: 'survives-a-full-disk',
    edits: [
      {
        find: `await disk.setItem(place, JSON.stringify(kept));`,
        replace: `await isDone(disk.setItem(place, JSON.stringify(kept)));`,
      },
    ],
  },
  {
    id: 'turned-down-copy-stays',
    title: 'Leaves the copy of a file that it has turned down.',
    criterion: 'survives-a-full-disk',
    edits: [{ find: `copies.remove(id);\n      if (!new`, replace: `if (!new` }],
  },
  {
    id: 'progress-must-be-stored',
    title: 'Fails an upload when its progress cannot be stored.',
    criterion: 'survives-a-full-disk',
    edits: [
      {
        find: `void change(entry, { sentBytes: bytesOf(entry.kept, etags) });`,
        replace: `void change(entry, { sentBytes: bytesOf(entry.kept, etags) }).then((isIt) => isIt || fail(entry, 'server'));`,
      },
    ],
  },
  {
    id: 'too-large-tried-again',
    title: 'Tries a file again that is too large for the server.',
    criterion: 'takes-no-for-an-answer',
    edits: [{ find: `remote === null && status === 413) fail(`, replace: `remote === null && status === 0.5) fail(` }],
  },
  {
    id: 'listeners-called-always',
    title: 'Calls its listeners at each part.',
    criterion: 'spares-listeners',
    edits: [{ find: `const PROGRESS_EVERY_MS = 250;`, replace: `const PROGRESS_EVERY_MS = 0;` }],
  },
  {
    id: 'writes-every-step',
    title: 'Stores the record before each step as well.',
    criterion: 'spends-little',
    edits: [
      {
        find: `entry.tasks.set(step, task);`,
        replace: `entry.tasks.set(step, task);\n    void change(entry, {});`,
      },
    ],
  },
  {
    id: 'waiters-forgotten',
    title: 'Never tells those who wait that an upload has failed.',
    criterion: 'ends-cleanly',
    edits: [{ find: `for (const { reject } of entry.waiters.splice(0)) reject(hasFailed(entry.kept));`, replace: `` }],
  },
  {
    id: 'listeners-leak',
    title: 'Leaves its listeners behind at dispose.',
    criterion: 'ends-cleanly',
    edits: [{ find: `for (const end of stops) end();`, replace: `` }],
  },
  {
    id: 'done-forgotten',
    title: 'Forgets an upload once it is done.',
    criterion: 'ends-cleanly',
    edits: [
      {
        find: `return isKept(kept) ? [[place, kept]] : [];`,
        replace: `return isKept(kept) && kept.fileUrl === null ? [[place, kept]] : [];`,
      },
    ],
  },
  {
    id: 'one-upload-per-name',
    title: 'Takes a file that is added again for the upload there is.',
    criterion: 'uploads-as-picked',
    edits: [
      {
        find: `const id = crypto.randomUUID();`,
        replace: `const known = entries.find(({ kept }) => kept.fileName === fileName);
    if (known) return known.kept.id;
    const id = crypto.randomUUID();`,
      },
    ],
  },
  {
    id: 'empty-file-without-a-part',
    title: 'Sends no part of an empty file.',
    criterion: 'uploads-as-picked',
    edits: [{ find: `Math.max(1, Math.ceil(sizeBytes / partSize));`, replace: `Math.ceil(sizeBytes / partSize);` }],
  },
];

export const lazy: LazyAttempt[] = [
  {
    id: 'does-nothing',
    title: 'Says yes to everything and does nothing.',
    source: `import type { CreateUploader } from '#contract/resumable-upload';

export const createUploader: CreateUploader = () => {
  let added = 0;
  return {
    start: async () => {},
    add: async () => {
      added += 1;
      return 'upload-' + added;
    },
    pause: async () => {},
    resume: async () => {},
    cancel: async () => {},
    whenDone: async () => ({ fileUrl: '' }),
    getState: () => ({ uploads: [] }),
    subscribe: () => () => {},
    dispose: () => {},
  };
};
`,
  },
  {
    id: 'throws',
    title: 'Throws at the first call.',
    source: `import type { CreateUploader } from '#contract/resumable-upload';

export const createUploader: CreateUploader = () => {
  throw new Error('Not today.');
};
`,
  },
  {
    id: 'never-resolves',
    title: 'Never resolves a promise.',
    source: `import type { CreateUploader } from '#contract/resumable-upload';

const never = () => new Promise<never>(() => {});

export const createUploader: CreateUploader = () => ({
  start: async () => {},
  add: never,
  pause: never,
  resume: never,
  cancel: never,
  whenDone: never,
  getState: () => ({ uploads: [] }),
  subscribe: () => () => {},
  dispose: () => {},
});
`,
  },
  {
    id: 'tight-loop',
    title: 'Asks the server without a pause until it works.',
    source: `import type { CreateUploader } from '#contract/resumable-upload';

export const createUploader: CreateUploader = ({ apiUrl }) => ({
  start: async () => {},
  add: async ({ fileName, mime }) => {
    for (;;) {
      const body = JSON.stringify({ fileName, mime, size: 1, sha256: '' });
      const answer = await fetch(apiUrl + '/uploads', { method: 'POST', body }).catch(() => null);
      if (answer?.ok) return 'upload-1';
    }
  },
  pause: async () => {},
  resume: async () => {},
  cancel: async () => {},
  whenDone: () => new Promise(() => {}),
  getState: () => ({ uploads: [] }),
  subscribe: () => () => {},
  dispose: () => {},
});
`,
  },
  {
    id: 'by-heart',
    title: 'Knows how an upload goes when nothing goes wrong.',
    source: `import type { CreateUploader, Upload } from '#contract/resumable-upload';

export const createUploader: CreateUploader = ({ device, apiUrl, fetch: ask = fetch }) => {
  let uploads: readonly Upload[] = [];
  const listeners = new Set<() => void>();
  const ends = new Map<string, Promise<{ fileUrl: string }>>();
  const show = (id: string, changed: Partial<Upload>) => {
    uploads = uploads.map((upload) => (upload.id === id ? { ...upload, ...changed } : upload));
    for (const listener of listeners) listener();
  };
  const call = async (path: string, body: object, headers = {}) => {
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) };
    return (await ask(apiUrl + '/uploads' + path, init)).json();
  };
  const send = async (id: string, file: { fileName: string; mime: string }, bytes: Uint8Array<ArrayBuffer>) => {
    const sha256 = device.quickCrypto.createHash('sha256').update(bytes).digest('hex');
    const about = { ...file, size: bytes.length, sha256 };
    const { uploadId, partSize, partCount } = await call('', about, { 'Idempotency-Key': id });
    const parts: { part: number; etag: string | null }[] = [];
    for (let part = 1; part <= partCount; part += 1) {
      const { urls } = await call('/' + uploadId + '/urls', { parts: [part] });
      const body = bytes.slice((part - 1) * partSize, part * partSize);
      const answer = await fetch(urls[0].url, { method: 'PUT', body });
      parts.push({ part, etag: answer.headers.get('ETag') });
      show(id, { status: 'uploading', sentBytes: Math.min(part * partSize, bytes.length - 1) });
    }
    const { fileUrl } = await call('/' + uploadId + '/complete', { parts });
    show(id, { status: 'done', sentBytes: bytes.length, fileUrl });
    return { fileUrl };
  };
  return {
    start: async () => {},
    add: async ({ uri, fileName, mime }) => {
      const id = crypto.randomUUID();
      const bytes = await new device.fileSystem.File(uri).bytes();
      const fresh = { id, fileName, status: 'queued', sentBytes: 0, totalBytes: bytes.length } as const;
      uploads = [...uploads, { ...fresh, fileUrl: null, error: null }];
      const end = send(id, { fileName, mime }, bytes);
      ends.set(id, end);
      end.catch(() => show(id, { status: 'failed', error: { code: 'server', message: '' } }));
      return id;
    },
    pause: async (id) => show(id, { status: 'paused' }),
    resume: async (id) => show(id, { status: 'uploading' }),
    cancel: async (id) => {
      uploads = uploads.filter((upload) => upload.id !== id);
    },
    whenDone: (id) => ends.get(id) ?? Promise.reject(Object.assign(new Error(id), { code: 'unknown-id' })),
    getState: () => ({ uploads }),
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
