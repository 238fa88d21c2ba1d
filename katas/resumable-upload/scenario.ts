// The simulation: people send files from trains, with all that a network, a phone and a storage service do to them.
import fc from 'fast-check';
import type { ResumableUploadModule, Upload, Uploader } from '#contract/resumable-upload';
import {
  atSend,
  CACHE_URI,
  DOCUMENTS_URI,
  defineAction,
  defineScenario,
  type Invariant,
  type PhoneView,
  type RequestRecord,
  type Stage,
  syntheticBytes,
  type TraceEvent,
  type WorldView,
  waitsForRetryAfter,
} from '#simulator';
import { createBackend, type RemoteUpload, type UploadBackend } from './backend.ts';

/** A file as the person knows it. Its serial is in its name, so that it can be told apart wherever it turns up. */
interface Pick {
  /** From 1, in the order of the calls. */
  readonly serial: number;
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly isMetered: boolean;
  /** `open`: no answer to `add` yet, or never, because the app was killed. */
  outcome: 'open' | 'accepted' | 'rejected';
  id: string | null;
  /** `asked`: nobody knows yet whether it was done. */
  cancel: 'no' | 'asked' | 'done';
  /** A pause has resolved, and no resume was asked for since. */
  isPaused: boolean;
  /** How often it was resumed. */
  resumes: number;
}

interface Facts {
  readonly picks: Pick[];
  /** Of this world, in bytes. */
  partSize: number;
}

type UploadStage = Stage<Uploader, UploadBackend, Facts>;
type UploadWorld = WorldView<Uploader, UploadBackend, Facts>;
type UploadInvariant = Invariant<Uploader, UploadBackend, Facts>;
type RequestEvent = Extract<TraceEvent, { kind: 'request' }>;

const API = 'https://api.example.test';
const CREATE = 'POST /uploads';
const LINKS = 'POST /uploads/:id/urls';
const ASK = 'GET /uploads/:id';
const COMPLETE = 'POST /uploads/:id/complete';
const DELETE = 'DELETE /uploads/:id';
const PUT = 'PUT /parts/:id/:part';

const CONCURRENCY = 3;
const START_TRIES = 5;
const TRIES = 8;
const PART_SIZES = [200, 333, 512];
const CALLS_A_SECOND = 4;
/** No pause changes these. */
const ENDING = ['completing', 'done', 'failed'];

// ---------------------------------------------------------------------------------------------------------------------
// What people do

/** In parts: nothing, a byte, a part, a little more, some parts. */
const parts = fc.constantFrom(0, 0.01, 1, 1.01, 2, 2.5, 3.2, 4.4);
const nth = fc.integer({ min: 0, max: 3 });
type Nothing = Record<string, never>;
const nothing = fc.constant({});

function add({ app, facts, follow, phone }: UploadStage, parts: number, isMetered: boolean): void {
  const serial = facts.picks.length + 1;
  const sizeBytes = Math.ceil(parts * facts.partSize);
  const fileName = `clip-${serial}.mov`;
  const picked: Pick = {
    ...{ serial, fileName, sizeBytes, isMetered, outcome: 'open', id: null },
    ...{ cancel: 'no', isPaused: false, resumes: 0 },
  };
  facts.picks.push(picked);
  const uri = `${CACHE_URI}picked/${fileName}`;
  phone.disk.files.write(uri, contentOf(picked));
  const file = { uri, fileName, mime: 'video/quicktime', ...(!isMetered && { metered: false }) };
  follow(`add ${fileName}`, () => app.add(file), {
    done: (id) => {
      picked.outcome = 'accepted';
      picked.id = id;
    },
    failed: () => {
      picked.outcome = 'rejected';
    },
  });
}

const contentOf = ({ sizeBytes, serial }: Pick): Uint8Array => syntheticBytes(sizeBytes, serial);

/** The nth of those that were accepted and that nobody has cancelled. */
function chosen({ picks }: Facts, nth: number): { pick: Pick; id: string } | null {
  const known = picks.flatMap((pick) => (pick.id !== null && pick.cancel === 'no' ? [{ pick, id: pick.id }] : []));
  return known[nth % Math.max(1, known.length)] ?? null;
}

function pause({ app, facts, follow }: UploadStage, nth: number): void {
  const found = chosen(facts, nth);
  if (!found) return;
  const { pick, id } = found;
  const { resumes } = pick;
  const isLate = () => ENDING.includes(shownIn(app).find((upload) => upload.id === id)?.status ?? 'queued');
  const wasLate = isLate();
  follow(`pause ${pick.fileName}`, () => app.pause(id), {
    done: () => {
      // What is completing goes on. A launch may have learnt of it only while the call waited.
      if (!wasLate && !isLate() && pick.resumes === resumes) pick.isPaused = true;
    },
  });
}

function resume({ app, follow }: UploadStage, { pick, id }: { pick: Pick; id: string }): void {
  pick.resumes += 1;
  pick.isPaused = false;
  follow(`resume ${pick.fileName}`, () => app.resume(id));
}

function cancel({ app, facts, follow }: UploadStage, nth: number): void {
  const found = chosen(facts, nth);
  if (!found) return;
  const { pick, id } = found;
  pick.cancel = 'asked';
  follow(`cancel ${pick.fileName}`, () => app.cancel(id), {
    done: () => {
      pick.cancel = 'done';
    },
    failed: () => {
      pick.cancel = 'no';
    },
  });
}

const actions = {
  add: defineAction<Uploader, UploadBackend, Facts, { parts: number; isMetered: boolean }>({
    weight: 6,
    args: fc.record({ parts, isMetered: fc.boolean() }),
    says: ({ parts, isMetered }) => `sends a file of ${parts} parts${isMetered ? '' : ', over free networks only'}`,
    run: (stage, { parts, isMetered }) => add(stage, parts, isMetered),
  }),
  addSome: defineAction<Uploader, UploadBackend, Facts, { files: number[] }>({
    weight: 2,
    args: fc.record({ files: fc.array(parts, { minLength: 2, maxLength: 3 }) }),
    says: ({ files }) => `sends ${files.length} files at once, of ${files.join(', ')} parts`,
    run: (stage, { files }) => {
      for (const size of files) add(stage, size, true);
    },
  }),
  pause: defineAction<Uploader, UploadBackend, Facts, { nth: number }>({
    weight: 2,
    args: fc.record({ nth }),
    says: ({ nth }) => `pauses upload ${nth + 1}`,
    run: (stage, { nth }) => pause(stage, nth),
  }),
  resume: defineAction<Uploader, UploadBackend, Facts, { nth: number }>({
    weight: 2,
    args: fc.record({ nth }),
    says: ({ nth }) => `resumes upload ${nth + 1}`,
    run: (stage, { nth }) => {
      const found = chosen(stage.facts, nth);
      if (found) resume(stage, found);
    },
  }),
  cancel: defineAction<Uploader, UploadBackend, Facts, { nth: number }>({
    args: fc.record({ nth }),
    says: ({ nth }) => `cancels upload ${nth + 1}`,
    run: (stage, { nth }) => cancel(stage, nth),
  }),
  waitFor: defineAction<Uploader, UploadBackend, Facts, { nth: number }>({
    args: fc.record({ nth }),
    says: ({ nth }) => `waits for the link of upload ${nth + 1}`,
    run: ({ app, facts, follow }, { nth }) => {
      const found = chosen(facts, nth);
      if (found) follow(`whenDone ${found.pick.fileName}`, () => app.whenDone(found.id));
    },
  }),
  linksExpire: defineAction<Uploader, UploadBackend, Facts, Nothing>({
    opensApp: false,
    args: nothing,
    says: () => 'All links of the storage host expire.',
    run: ({ backend }) => backend.expireLinks(),
  }),
  partSpoilt: defineAction<Uploader, UploadBackend, Facts, { count: number }>({
    opensApp: false,
    args: fc.record({ count: fc.constantFrom(1, 2) }),
    says: ({ count }) => `The storage host damages the next ${count === 1 ? 'part' : `${count} parts`}.`,
    run: ({ backend }, { count }) => backend.spoilNext(count),
  }),
  partLost: defineAction<Uploader, UploadBackend, Facts, Nothing>({
    opensApp: false,
    args: nothing,
    says: () => 'The storage host loses a part of each open upload.',
    run: ({ backend }) => {
      for (const id of backend.uploads.keys()) backend.losePart(id);
    },
  }),
  uploadsCleared: defineAction<Uploader, UploadBackend, Facts, Nothing>({
    opensApp: false,
    args: nothing,
    says: () => 'The storage host clears all open uploads away.',
    run: ({ backend }) => backend.clearOpen(),
  }),
};

// ---------------------------------------------------------------------------------------------------------------------
// What can be seen. An attempt is not trusted to keep to its types.

function shownIn(app: Uploader | null | undefined): readonly Upload[] {
  const uploads: unknown = app?.getState()?.uploads;
  return Array.isArray(uploads) ? uploads : [];
}

const shown = (world: UploadWorld): readonly Upload[] => shownIn(world.phones[0]?.app);

function view(app: Uploader) {
  return shownIn(app).map(({ fileName, status, sentBytes, totalBytes, error }) => ({
    ...{ fileName, status, sentBytes, totalBytes },
    error: error?.code ?? null,
  }));
}

/** The upload id in a request's path; empty for a create. */
const remoteIdOf = ({ url }: RequestRecord): string => /\/(up-\d+)/.exec(url)?.[1] ?? '';
const partOf = ({ url }: RequestRecord): number => Number(/\/parts\/up-\d+\/(\d+)/.exec(url)?.[1] ?? 0);
const serialIn = (text: string): number => Number(/clip-(\d+)\.mov/.exec(text)?.[1] ?? 0);

/** The file that a request is about. */
function pickOf({ backend, facts }: UploadWorld, request: RequestRecord): Pick | undefined {
  const name = request.endpoint === CREATE ? request.body : backend.uploads.get(remoteIdOf(request))?.fileName;
  return facts.picks[serialIn(name ?? '') - 1];
}

/** What a request is one of a row of: a part, or one of the questions about an upload. */
const rowOf = (request: RequestRecord): string =>
  request.endpoint === CREATE ? `${CREATE} ${serialIn(request.body ?? '')}` : `${request.method} ${pathOf(request)}`;
const pathOf = ({ url }: RequestRecord): string => new URL(url).pathname;

const isPut = ({ endpoint }: RequestRecord): boolean => endpoint === PUT;
const isAsk = ({ endpoint }: RequestRecord): boolean => endpoint === ASK;
/** A captive portal answers what never arrived. */
const isAnswer = ({ phase, note, request }: RequestEvent, status: number): boolean =>
  phase === 'received' && note === String(status) && request.arrivedAtMs !== null;
/** Answers after which the parts begin anew: the app may not trust what it was told before. */
const isSetback = (event: RequestEvent): boolean =>
  event.phase === 'received' &&
  (['404', '410'].includes(event.note) || (event.request.endpoint === COMPLETE && ['400', '422'].includes(event.note)));

const find = (world: UploadWorld, { id }: Pick): Upload | undefined =>
  id === null ? undefined : shown(world).find((upload) => upload.id === id);

const isExpected = ({ outcome, cancel }: Pick): boolean => outcome === 'accepted' && cancel === 'no';

/** Calls `look` at each request of a file as it leaves. */
function atRequest(
  look: (world: UploadWorld) => (request: RequestRecord, pick: Pick | undefined) => string | undefined,
): NonNullable<UploadInvariant['watch']> {
  return (world) => {
    const lookAt = look(world);
    return (event) => {
      if (event.kind !== 'request' || event.phase !== 'sent') return undefined;
      return lookAt(event.request, pickOf(world, event.request));
    };
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: the file

const finishesAsPicked: UploadInvariant = {
  id: 'finishes-as-picked',
  promise: 'Each finished file is the picked one, byte for byte, and there once.',
  spec: ['R7', 'E5'],
  watch: ({ backend, facts }) => {
    const seen = new Set<string>();
    return (event) => {
      if (event.kind !== 'effect' || event.label !== 'completed') return undefined;
      const file = backend.files.at(-1);
      const pick = facts.picks[serialIn(file?.fileName ?? '') - 1];
      if (!file || !pick) return 'The server has finished a file that nobody picked.';
      if (seen.has(file.fileName)) return `${file.fileName} is at the server twice.`;
      seen.add(file.fileName);
      const isSame = Buffer.compare(file.bytes, contentOf(pick)) === 0;
      return isSame ? undefined : `${file.fileName} at the server is not the file that was picked.`;
    };
  },
};

/** In the end every file is there, or its upload says why not. */
function unfinished(world: UploadWorld): string | undefined {
  for (const pick of world.facts.picks.filter(isExpected)) {
    const upload = find(world, pick);
    if (!upload) return `${pick.fileName} was accepted, and now there is no upload of it.`;
    const remotes = [...world.backend.uploads.values()].filter(({ fileName }) => fileName === pick.fileName);
    const isThere = remotes.some(({ status }) => status === 'completed');
    if (upload.status === 'done' && !isThere)
      return `${pick.fileName} is shown as done, and the server has no such file.`;
    if (upload.status === 'failed' && isThere) return `${pick.fileName} is at the server, yet shown as failed.`;
    if (upload.status !== 'done' && upload.status !== 'failed')
      return `${pick.fileName} is still ${upload.status}, with ${upload.sentBytes} of ${upload.totalBytes} bytes sent.`;
  }
  return undefined;
}

const endsForAll: UploadInvariant = {
  id: 'ends-for-all',
  promise: 'Once all works again, every accepted upload gets done, or says why not.',
  spec: ['R10', 'R12'],
  // A kill after the healing may have cost the person's resume; the next launch asks again.
  settled: (world) => (shown(world).some(({ status }) => status === 'paused') ? undefined : unfinished(world)),
  relaunched: unfinished,
};

const acceptedIsKept: UploadInvariant = {
  id: 'accepted-is-kept',
  promise: 'An accepted upload outlives a restart, with its end; one that was turned down is nowhere.',
  spec: ['R1', 'E6'],
  relaunched: (world) => {
    for (const pick of world.facts.picks) {
      const upload = find(world, pick);
      if (isExpected(pick) && !upload) return `${pick.fileName} was accepted, and is gone after a restart.`;
      if (pick.outcome === 'rejected' && shown(world).some(({ fileName }) => fileName === pick.fileName))
        return `${pick.fileName} was turned down, and yet it is shown.`;
    }
    return undefined;
  },
  watch: atRequest(
    () => (_request, pick) =>
      pick?.outcome === 'rejected' ? `${pick.fileName} was turned down, and yet it is sent.` : undefined,
  ),
};

const safeFromTheOs: UploadInvariant = {
  id: 'safe-from-the-os',
  promise: 'No accepted file is lost with the cache.',
  spec: ['R1', 'R8'],
  settled: (world) => {
    const lost = shown(world).find(({ error }) => error?.code === 'source-lost');
    return lost && `${lost.fileName} failed with source-lost, though nobody has touched the app's own folder.`;
  },
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: nothing is sent twice

interface Told {
  /** Of this launch: whether it has heard what the server has, and which parts those are. */
  readonly isSure: boolean;
  readonly parts: Set<number>;
}

const NOTHING_TOLD: Told = { isSure: false, parts: new Set() };

/** Follows what a launch was told of the parts of each upload. */
function createHearsay({ backend }: UploadWorld) {
  const told = new Map<string, Told>();
  const listed = new Map<number, Set<number>>();
  const cut = new Set<string>();
  /** Uploads that were created for an earlier launch. */
  const old = new Set<string>();
  return {
    of: (remoteId: string): Told | undefined => told.get(remoteId),
    isOld: (remoteId: string): boolean => old.has(remoteId),
    note(event: TraceEvent): void {
      if (event.kind === 'launch') {
        told.clear();
        for (const id of backend.uploads.keys()) old.add(id);
      }
      if (event.kind === 'fault' && event.fault === 'truncate') cut.add(`${event.target} ${event.nth}`);
      if (event.kind !== 'request') return;
      const { request, phase } = event;
      const id = remoteIdOf(request);
      if (phase === 'answered' && request.endpoint === ASK)
        listed.set(request.id, new Set(backend.uploads.get(id)?.parts.keys()));
      // After a setback it may send what it has, or ask.
      if (isSetback(event)) told.set(id, { ...(told.get(id) ?? NOTHING_TOLD), parts: new Set() });
      if (isPut(request) && isAnswer(event, 200)) tell(id, partOf(request));
      const isWhole = !cut.has(`${request.endpoint} ${request.nth}`);
      if (request.endpoint === ASK && isAnswer(event, 200) && isWhole)
        told.set(id, { isSure: true, parts: listed.get(request.id) ?? new Set() });
    },
  };

  function tell(id: string, part: number): void {
    const { isSure, parts } = told.get(id) ?? NOTHING_TOLD;
    told.set(id, { isSure, parts: new Set([...parts, part]) });
  }
}

const nothingTwice: UploadInvariant = {
  id: 'nothing-twice',
  promise: 'A part of which the app has heard that the server has it is not sent again.',
  spec: ['R2', 'E3'],
  watch: (world) => {
    const hearsay = createHearsay(world);
    return (event) => {
      hearsay.note(event);
      if (event.kind !== 'request' || event.phase !== 'sent' || !isPut(event.request)) return undefined;
      const [id, part] = [remoteIdOf(event.request), partOf(event.request)];
      if (!hearsay.of(id)?.parts.has(part)) return undefined;
      return `Part ${part} of ${id} was sent again, though the app had heard that the server has it.`;
    };
  },
};

const asksFirst: UploadInvariant = {
  id: 'asks-first',
  promise: 'After a restart no part leaves before the server has said which ones it has.',
  spec: ['R2'],
  watch: (world) => {
    const hearsay = createHearsay(world);
    return (event) => {
      hearsay.note(event);
      if (event.kind !== 'request' || event.phase !== 'sent' || !isPut(event.request)) return undefined;
      const id = remoteIdOf(event.request);
      if (!hearsay.isOld(id) || hearsay.of(id)?.isSure) return undefined;
      return `Part ${partOf(event.request)} of ${id} left after a restart, and nobody had asked what the server has.`;
    };
  },
};

const oneCreateKey: UploadInvariant = {
  id: 'one-create-key',
  promise: 'A file is created with one key, over restarts too, unless its upload is gone.',
  spec: ['R2'],
  watch: (world) => {
    const keys = new Map<number, string>();
    return (event) => {
      if (event.kind !== 'request') return undefined;
      const { request } = event;
      const isGone = event.phase === 'received' && ['404', '410'].includes(event.note);
      if (isGone) keys.delete(pickOf(world, request)?.serial ?? 0);
      if (event.phase !== 'sent' || request.endpoint !== CREATE) return undefined;
      const serial = serialIn(request.body ?? '');
      const key = request.headers['idempotency-key'] ?? 'none';
      const before = keys.get(serial) ?? key;
      keys.set(serial, before);
      return before === key ? undefined : `clip-${serial}.mov was created with key ${before}, then with key ${key}.`;
    };
  },
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: how parts are sent

const threeInFlight: UploadInvariant = {
  id: 'three-in-flight',
  promise: 'Never are more than three parts out.',
  spec: ['R3'],
  watch: atSend(() => (sent, others) => {
    const out = isPut(sent) ? others().filter(isPut).length : 0;
    return out >= CONCURRENCY ? `A part left while ${out} others were out.` : undefined;
  }),
};

const slicesOnly: UploadInvariant = {
  id: 'slices-only',
  promise: 'A file enters memory a part at a time, and only while fewer than three are out.',
  spec: ['R3'],
  watch: ({ facts, phones, requests }) => {
    let seen = 0;
    let first = 0;
    return (event) => {
      if (event.kind !== 'storage' || event.phase !== 'acked') return undefined;
      const { reads } = phones[event.phone]?.disk.files ?? { reads: [] };
      const fresh = reads.slice(seen);
      seen = reads.length;
      while (requests[first]?.outcome) first += 1;
      const out = requests.slice(first).filter((request) => isPut(request) && request.outcome === null).length;
      const large = fresh.find(({ sizeBytes }) => sizeBytes > facts.partSize);
      if (large) return `${large.sizeBytes} bytes were read at once, and a part has ${facts.partSize}.`;
      return fresh.length > 0 && out >= CONCURRENCY ? `A part was read while ${out} others were out.` : undefined;
    };
  },
};

const freshLinks: UploadInvariant = {
  id: 'fresh-links',
  promise: 'A link that was answered 403 is not used again.',
  spec: ['R4'],
  watch: () => {
    const refused = new Set<string>();
    return (event) => {
      if (event.kind !== 'request' || !isPut(event.request)) return undefined;
      const { url } = event.request;
      if (event.phase === 'received' && event.note === '403') refused.add(url);
      return event.phase === 'sent' && refused.has(url) ? `${url} was used again after a 403.` : undefined;
    };
  },
};

const eightTries: UploadInvariant = {
  id: 'eight-tries',
  promise: 'A request that was refused eight times in a row is not sent again by itself.',
  spec: ['R5'],
  watch: (world) => {
    const refusals = new Map<string, number>();
    return (event) => {
      if (event.kind === 'launch') refusals.clear();
      if (event.kind !== 'request') return undefined;
      const { request, phase, note } = event;
      // Links are asked for by each part that needs one.
      if (request.endpoint === LINKS) return undefined;
      const row = `${rowOf(request)} ${pickOf(world, request)?.resumes}`;
      const count = refusals.get(row) ?? 0;
      if (phase === 'received' && Number(note) < 300) refusals.delete(row);
      if (phase === 'received' && (Number(note) >= 500 || note === '408' || note === '429'))
        refusals.set(row, count + 1);
      if (phase !== 'sent' || count < TRIES) return undefined;
      return `${rowOf(request)} was sent again after ${count} refusals in a row.`;
    };
  },
};

const obeysRetryAfter: UploadInvariant = {
  id: 'obeys-retry-after',
  promise: 'What was answered with Retry-After is not tried again before.',
  spec: ['R5'],
  watch: (world) =>
    waitsForRetryAfter({
      // A person who resumes a failed upload need not wait.
      keyOf: (request) =>
        request.endpoint === LINKS ? undefined : `${rowOf(request)} (resumes: ${pickOf(world, request)?.resumes ?? 0})`,
      graceMs: 5,
    })(),
};

const completesInOrder: UploadInvariant = {
  id: 'completes-in-order',
  promise: 'Complete lists all parts, ascending, with the tags that the server gave.',
  spec: ['R7'],
  watch: atRequest(({ backend }) => (request) => {
    if (request.endpoint !== COMPLETE) return undefined;
    const remote = backend.uploads.get(remoteIdOf(request));
    return remote && faultIn(listedIn(request.body), remote);
  }),
};

function listedIn(body: string | null): { part?: unknown; etag?: unknown }[] {
  const { parts }: { parts?: unknown } = JSON.parse(body ?? '{}') ?? {};
  return Array.isArray(parts) ? parts : [];
}

function faultIn(listed: { part?: unknown; etag?: unknown }[], { uploadId, parts, partCount }: RemoteUpload) {
  const numbers = listed.map(({ part }) => part);
  if (listed.length !== partCount || numbers.some((part, at) => part !== at + 1))
    return `${uploadId} has ${partCount} parts, and complete listed ${numbers.join(', ')}.`;
  // The host may have lost a part that it had acknowledged.
  const wrong = listed.find(({ part, etag }) => etag !== (parts.get(Number(part))?.etag ?? etag));
  return wrong && `Part ${String(wrong.part)} of ${uploadId} was listed with the tag ${String(wrong.etag)}.`;
}

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: what is shown

const honestProgress: UploadInvariant = {
  id: 'honest-progress',
  promise: 'sentBytes counts what the server has acknowledged, never falls, and is all only once all is there.',
  spec: ['R6'],
  watch: (world) => {
    const last = new Map<string, number>();
    const most = new Map<string, number>();
    const excused = new Set<string>();
    const mayBeWhole = ({ status }: Upload) => ENDING.includes(status);
    return (event) => {
      if (event.kind === 'launch') last.clear();
      if (event.kind === 'effect' && event.label === 'part') noteStored(most, world, event.data);
      // The server's word goes before what the app thought, once.
      if (event.kind === 'request' && (isSetback(event) || (isAsk(event.request) && isAnswer(event, 200))))
        excused.add(pickOf(world, event.request)?.fileName ?? '');
      if (event.kind !== 'state') return undefined;
      for (const upload of shown(world)) {
        const { id, fileName, sentBytes, totalBytes, status } = upload;
        const before = last.get(id) ?? 0;
        last.set(id, sentBytes);
        if (sentBytes < before && !excused.delete(fileName))
          return `${fileName} went back from ${before} to ${sentBytes} bytes.`;
        const stored = most.get(fileName) ?? 0;
        if (sentBytes > stored) return `${fileName} shows ${sentBytes} bytes, and the server has had ${stored}.`;
        if (totalBytes > 0 && sentBytes === totalBytes && !mayBeWhole(upload))
          return `${fileName} shows all of its ${totalBytes} bytes while ${status}.`;
      }
      return undefined;
    };
  },
};

function noteStored(most: Map<string, number>, { backend }: UploadWorld, data: unknown): void {
  const { uploadId } = data as { uploadId: string };
  const remote = backend.uploads.get(uploadId);
  if (!remote) return;
  const sizes = [...remote.everStored].map((part) =>
    Math.min(remote.partSize, remote.size - (part - 1) * remote.partSize),
  );
  const sum = sizes.reduce((total, size) => total + size, 0);
  most.set(remote.fileName, Math.max(sum, most.get(remote.fileName) ?? 0));
}

const calmProgress: UploadInvariant = {
  id: 'calm-progress',
  promise: 'Listeners hear of an upload’s progress four times a second at most.',
  spec: ['R14'],
  watch: (world) => {
    let outline = '';
    const calls = new Map<string, number[]>();
    const last = new Map<string, number>();
    return (event) => {
      if (event.kind === 'launch') calls.clear();
      if (event.kind !== 'state') return undefined;
      const uploads = shown(world);
      const now = JSON.stringify(uploads.map((upload) => ({ ...upload, sentBytes: 0 })));
      const isProgress = now === outline;
      outline = now;
      for (const { id, fileName, sentBytes } of uploads) {
        const hasMoved = sentBytes !== last.get(id);
        last.set(id, sentBytes);
        if (!isProgress || !hasMoved) continue;
        const recent = [...(calls.get(id) ?? []), event.atMs].filter((atMs) => atMs > event.atMs - 990);
        calls.set(id, recent);
        if (recent.length > CALLS_A_SECOND)
          return `Listeners heard of ${fileName} ${recent.length} times within a second.`;
      }
      return undefined;
    };
  },
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: when nothing may be sent

const silentOffline: UploadInvariant = {
  id: 'silent-offline',
  promise: 'No request leaves while netInfo says offline.',
  spec: ['R10'],
  watch: atRequest(
    () => (request) => (request.sentOnline ? undefined : `${rowOf(request)} left while the phone was offline.`),
  ),
};

const pausedIsSilent: UploadInvariant = {
  id: 'paused-is-silent',
  promise: 'Nothing of a paused upload is sent, over a restart too, and no part of it stays out.',
  spec: ['R10'],
  watch: (world) => (event) => {
    if (event.kind === 'request' && event.phase === 'sent' && event.request.endpoint !== DELETE) {
      const pick = pickOf(world, event.request);
      return pick?.isPaused ? `${rowOf(event.request)} left while ${pick.fileName} was paused.` : undefined;
    }
    if (event.kind !== 'settled' || !event.label.startsWith('pause') || event.error !== null) return undefined;
    const left = world.requests.find((one) => one.outcome === null && isPut(one) && pickOf(world, one)?.isPaused);
    return left && `${rowOf(left)} was still out after the pause.`;
  },
};

const isExpensive = ({ conditions }: PhoneView<unknown>): boolean =>
  conditions.network.details?.isConnectionExpensive === true;

const sparesMetered: UploadInvariant = {
  id: 'spares-metered',
  promise:
    'Nothing of an upload for free networks is sent over one that costs money, and no part of it stays out there.',
  spec: ['R15', 'E7'],
  watch: (world) => (event) => {
    const phone = world.phones[event.phone];
    if (!phone || !isExpensive(phone)) return undefined;
    if (event.kind === 'request' && event.phase === 'sent' && event.request.endpoint !== DELETE) {
      const pick = pickOf(world, event.request);
      return pick?.isMetered === false
        ? `${rowOf(event.request)} of ${pick.fileName} left over mobile data.`
        : undefined;
    }
    return undefined;
  },
};

const cancelledIsOver: UploadInvariant = {
  id: 'cancelled-is-over',
  promise: 'Nothing of a cancelled upload is sent but one DELETE, and it is shown no more.',
  spec: ['R11', 'E9'],
  watch: (world) => {
    const deletes = new Set<string>();
    return (event) => {
      if (event.kind !== 'request' || event.phase !== 'sent') return undefined;
      const { request } = event;
      const pick = pickOf(world, request);
      if (request.endpoint === DELETE) {
        const row = rowOf(request);
        if (pick?.cancel === 'no') return `${row} was sent, and nobody had cancelled ${pick.fileName}.`;
        if (deletes.has(row)) return `${row} was sent twice.`;
        deletes.add(row);
      } else if (pick?.cancel === 'done') return `${rowOf(request)} was sent after ${pick.fileName} was cancelled.`;
      return undefined;
    };
  },
  settled: stillShown,
  relaunched: stillShown,
};

function stillShown(world: UploadWorld): string | undefined {
  const found = world.facts.picks.find((pick) => pick.cancel === 'done' && find(world, pick));
  return found && `${found.fileName} was cancelled, and is still shown.`;
}

const noCopyLeft: UploadInvariant = {
  id: 'no-copy-left',
  promise: 'After a launch there are no more copies than uploads that may still need them.',
  spec: ['R11'],
  relaunched: (world) => {
    const copies = world.phones[0]?.disk.files.list(DOCUMENTS_URI) ?? [];
    const needed = shown(world).filter(({ status }) => status !== 'done').length;
    if (copies.length <= needed) return undefined;
    return `${copies.length} files lie in the app's folder, and ${needed} uploads may need theirs.`;
  },
};

// ---------------------------------------------------------------------------------------------------------------------

/** As a shell would: a start that fails is tried again, a few times. */
function begin(app: Uploader, follow: UploadStage['follow'], triesLeft: number): void {
  follow('start', () => app.start(), {
    failed: () => {
      if (triesLeft > 1) begin(app, follow, triesLeft - 1);
    },
  });
}

/** Parts of what the server has finished or holds: what costs are held against. */
const REQUEST_FAULTS = ['request-lost', 'response-lost', 'hang', 'delay', 'duplicate', 'portal'] as const;
const SERVER_FAULTS = ['answer-408', 'answer-429-seconds', 'answer-500', 'answer-503', 'applied-then-500'] as const;
const KILLS = ['kill-before', 'kill-after'] as const;

export const scenario = defineScenario<ResumableUploadModule, Uploader, UploadBackend, Facts>({
  kata: 'resumable-upload',
  apiUrl: API,
  slots: 9,
  gapsMs: [0, 40, 300, 900, 4_000, 40_000],
  endpoints: [CREATE, LINKS, ASK, COMPLETE, DELETE, PUT],
  backend: createBackend,
  facts: () => ({ picks: [], partSize: PART_SIZES[0] ?? 0 }),
  furnish(_disk, facts, _phone, pick) {
    facts.partSize = PART_SIZES[pick('part size', PART_SIZES.length)] ?? facts.partSize;
  },
  open({ module, device, apiUrl, backend, facts, follow, stateChanged }) {
    backend.partSize = facts.partSize;
    const app = module.createUploader({ device, apiUrl });
    app.subscribe(stateChanged);
    begin(app, follow, START_TRIES);
    return app;
  },
  healed(stage) {
    for (const pick of stage.facts.picks) {
      const { id } = pick;
      if (id === null || pick.cancel === 'done') continue;
      const upload = shownIn(stage.app).find((one) => one.id === id);
      if (upload?.status === 'paused' || upload?.status === 'failed') resume(stage, { pick, id });
    }
  },
  close: (app) => app.dispose(),
  view,
  actions,
  conditions: {
    offline: { weight: 2, forMs: [2_000, 60_000] },
    background: { forMs: [10_000, 300_000] },
    kill: { weight: 2, forMs: [200, 60_000] },
    clock: { byMs: [-3_600_000, 3_600_000] },
    outage: { forMs: [8_000, 120_000] },
    handover: { weight: 2, forMs: [2_000, 60_000] },
    flap: { forMs: [150, 1_200] },
    lowDisk: { forMs: [5_000] },
    cacheCleared: { weight: 2 },
  },
  faults: {
    [CREATE]: [...REQUEST_FAULTS, ...SERVER_FAULTS, 'truncate', 'answer-422', ...KILLS],
    [LINKS]: [...REQUEST_FAULTS, ...SERVER_FAULTS, 'truncate', 'answer-410', ...KILLS],
    [ASK]: [...REQUEST_FAULTS, ...SERVER_FAULTS, 'truncate', ...KILLS],
    [PUT]: [...REQUEST_FAULTS, ...SERVER_FAULTS, 'answer-403', 'answer-410', ...KILLS],
    [COMPLETE]: [...REQUEST_FAULTS, ...SERVER_FAULTS, 'truncate', ...KILLS],
    'storage.write': ['full', 'failed', 'slow', 'torn', ...KILLS],
    'storage.read': ['failed', 'slow', 'kill-before'],
  },
  invariants: [
    finishesAsPicked,
    endsForAll,
    acceptedIsKept,
    safeFromTheOs,
    nothingTwice,
    asksFirst,
    oneCreateKey,
    threeInFlight,
    slicesOnly,
    freshLinks,
    eightTries,
    obeysRetryAfter,
    completesInOrder,
    honestProgress,
    calmProgress,
    silentOffline,
    pausedIsSilent,
    sparesMetered,
    cancelledIsOver,
    noCopyLeft,
  ],
  budgets: [
    {
      id: 'requests',
      promise: 'Few requests a part: links are asked for together, and the server is asked once a launch.',
      spec: ['R14'],
      measure: ({ costs }) => costs.requests,
      allowance: 1.25,
    },
    {
      id: 'bytes-sent',
      promise: 'Few bytes sent for each byte of a file.',
      spec: ['R14'],
      measure: ({ costs }) => costs.bytesSent,
      allowance: 1.2,
    },
    {
      id: 'storage-writes',
      promise: 'One write a part, and a few an upload.',
      spec: ['R14'],
      measure: ({ costs }) => costs.storageWrites,
      allowance: 1.25,
    },
  ],
  patienceMs: 120_000,
});
