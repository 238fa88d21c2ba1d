// The simulation: alerts go out, people answer or sleep, and the phone that escalates is suspended, killed and cut off.
import fc from 'fast-check';
import type {
  Alert,
  Channel,
  Contact,
  Escalation,
  EscalationModule,
  EscalationState,
  PolicyAnswer,
  PolicyQuestion,
  Priority,
  Recipient,
  Stage,
} from '#contract/escalation-routing';
import {
  defineAction,
  defineScenario,
  growsRarer,
  type Invariant,
  type Json,
  type RequestRecord,
  type Stage as Scene,
  type TraceEvent,
  type WorldView,
  waitsForRetryAfter,
} from '#simulator';
import { createBackend, type EscalationBackend } from './backend.ts';

/** An alert as the person who raised it knows it. */
interface Raised {
  readonly alert: Alert;
  /** Virtual time. */
  readonly atMs: number;
  /** The launch that was asked. */
  readonly launch: number;
  /** When `raise` resolved; null: no answer yet, or never, because the app was killed. */
  storedAtMs: number | null;
  isRejected: boolean;
  cancel: 'no' | 'asked' | 'done';
}

interface Facts {
  readonly raised: Map<string, Raised>;
  launches: number;
  /** By alert: how many events the running app has been told, and when. */
  readonly heard: Map<string, { seq: number; atMs: number }>;
}

type World = WorldView<Escalation, EscalationBackend, Facts>;
type Rule = Invariant<Escalation, EscalationBackend, Facts>;
type Look = NonNullable<Rule['watch']>;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DUE_MS = [0, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE] as const;
/** Times are drawn with fractions, the clocks of phones and people are not. */
const GRACE_MS = 5;
/** Between the decision to begin a stage and its first message: a slow disk, a hung request. */
const BEGIN_MS = 3 * MINUTE;
const QUIET_MS = 5 * MINUTE;

// ---------------------------------------------------------------------------------------------------------------------
// The cast

const person = (id: string, timeZone: string, ...channels: Channel[]): Contact => ({
  id,
  timeZone,
  addresses: Object.fromEntries(channels.map((channel) => [channel, `${channel}:${id}`])),
});

const mia = person('mia', 'Europe/Lisbon', 'push', 'sms', 'voice', 'email');
const eve = person('eve', 'America/Bogota', 'voice', 'sms');
const ned = person('ned', 'Europe/Oslo', 'sms');
const kim = person('kim', 'Asia/Seoul', 'push', 'voice');

/** ned's only address is dead, and so are two of cal's. qin is not to be disturbed half of the time. */
const DEAD: readonly [string, Channel][] = [
  ['ned', 'sms'],
  ['cal', 'push'],
  ['cal', 'sms'],
];

const RECIPIENTS: readonly Recipient[] = [
  { ...person('ana', 'Europe/Berlin', 'push', 'sms', 'voice', 'email'), manager: mia, emergencyContact: eve },
  { ...person('ben', 'Africa/Lagos', 'push', 'sms'), manager: mia },
  { ...person('cal', 'Asia/Kolkata', 'push', 'sms'), manager: ned, emergencyContact: eve },
  { ...person('dot', 'UTC'), emergencyContact: kim },
  { ...kim, manager: kim, emergencyContact: mia },
  { ...person('qin', 'Asia/Shanghai', 'push', 'sms', 'email'), manager: eve, emergencyContact: ned },
];

/** qin gets no sms but in an emergency, and nothing else in every other five minutes. */
function policy({ contact, channel, purpose, at }: PolicyQuestion): PolicyAnswer {
  if (contact?.id !== 'qin' || purpose === 'emergency') return { allowed: true };
  if (channel === 'sms') return { allowed: false, reason: 'sms is for emergencies', nextAllowedAt: null };
  if (!isQuiet(at)) return { allowed: true };
  return { allowed: false, reason: 'quiet time', nextAllowedAt: (Math.floor(at / QUIET_MS) + 1) * QUIET_MS };
}

const isQuiet = (at: number): boolean => Math.floor(at / QUIET_MS) % 2 === 1;

const contactAt = (recipient: Recipient, stage: number): Contact | undefined =>
  stage === 3 ? recipient.emergencyContact : stage === 2 ? recipient.manager : recipient;

const isAbout = (recipient: Recipient, contactId: string): boolean =>
  recipient.id === contactId || recipient.manager?.id === contactId || recipient.emergencyContact?.id === contactId;

// ---------------------------------------------------------------------------------------------------------------------
// What people do

type Play = Scene<Escalation, EscalationBackend, Facts>;
interface RaiseArgs {
  [key: string]: Json;
  priority: Priority;
  requiresAck: boolean;
  recipients: number[];
  expiresInMin: number | null;
  /** Somebody answers by themselves, and the push about it is lost. */
  answer: { who: number; afterMin: number } | null;
}

/** Virtual time, as an action can know it: whole ms. */
const sinceStart = ({ nowMs, startMs }: EscalationBackend): number => nowMs() - startMs;

function raise({ app, facts, backend, phone, follow }: Play, args: RaiseArgs): void {
  const number = facts.raised.size + 1;
  const id = `alert-${number}`;
  const recipients = args.recipients.flatMap((index) => RECIPIENTS[index] ?? []);
  const alert: Alert = {
    id,
    priority: args.priority,
    text: `Cold store ${number} is at +9 °C`,
    requiresAck: args.requiresAck,
    recipients,
    ...(args.expiresInMin !== null && { expiresAt: phone.nowMs + args.expiresInMin * MINUTE }),
  };
  const raised: Raised = {
    alert,
    atMs: sinceStart(backend),
    launch: facts.launches,
    storedAtMs: null,
    isRejected: false,
    cancel: 'no',
  };
  facts.raised.set(id, raised);
  const first = recipients[0];
  const answering = args.answer && first && contactAt(first, args.answer.who === 0 ? 0 : args.answer.who + 1);
  if (args.answer && answering) {
    backend.acknowledgeAt(id, answering.id, backend.nowMs() + args.answer.afterMin * MINUTE);
  }
  follow(`raise ${id}`, () => app.raise(alert), {
    done: () => {
      raised.storedAtMs = sinceStart(backend);
    },
    failed: () => {
      raised.isRejected = true;
    },
  });
}

const alertAt = (facts: Facts, index: number): Raised | undefined => {
  const all = [...facts.raised.values()];
  return all[index % Math.max(1, all.length)];
};

/** A message of this alert that has reached somebody: the nth from the end. */
const messageAt = (backend: EscalationBackend, raised: Raised | undefined, index: number) => {
  const sent = raised ? backend.sentFor(raised.alert.id) : [];
  return sent[sent.length - 1 - (index % Math.max(1, sent.length))];
};

const which = fc.integer({ min: 0, max: 3 });

const actions = {
  raise: defineAction<Escalation, EscalationBackend, Facts, RaiseArgs>({
    weight: 5,
    args: fc.record({
      priority: fc.constantFrom<Priority[]>('critical', 'high', 'medium', 'low'),
      requiresAck: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
      recipients: fc.uniqueArray(fc.integer({ min: 0, max: RECIPIENTS.length - 1 }), { minLength: 1, maxLength: 2 }),
      expiresInMin: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, fc.constantFrom(12, 25, 50)),
      answer: fc.oneof(
        { weight: 2, arbitrary: fc.constant(null) },
        fc.record({ who: fc.integer({ min: 0, max: 2 }), afterMin: fc.constantFrom(2, 14, 29, 50, 65) }),
      ),
    }),
    says: ({ priority, requiresAck, recipients }) => {
      const names = recipients.map((index) => RECIPIENTS[index]?.id).join(' and ');
      return `raises a ${priority} alert to ${names}${requiresAck ? '' : ', no answer needed'}`;
    },
    run: raise,
  }),
  answer: defineAction<Escalation, EscalationBackend, Facts, { alert: number; message: number }>({
    weight: 2,
    args: fc.record({ alert: which, message: which }),
    says: () => 'somebody acknowledges',
    run: ({ backend, facts }, { alert, message }) => {
      const found = messageAt(backend, alertAt(facts, alert), message);
      if (found) backend.acknowledge(found.alertId, found.contactId);
    },
  }),
  report: defineAction<
    Escalation,
    EscalationBackend,
    Facts,
    { alert: number; message: number; kind: 'delivered' | 'failed' }
  >({
    weight: 3,
    args: fc.record({ alert: which, message: which, kind: fc.constantFrom('delivered', 'failed') }),
    says: ({ kind }) => `a provider reports a message as ${kind}`,
    run: ({ backend, facts }, { alert, message, kind }) => {
      const found = messageAt(backend, alertAt(facts, alert), message);
      if (found) backend.report(found.alertId, kind, found);
    },
  }),
  cancel: defineAction<Escalation, EscalationBackend, Facts, { alert: number }>({
    args: fc.record({ alert: which }),
    says: () => 'cancels an alert',
    run: ({ app, facts, follow }, { alert }) => {
      const raised = alertAt(facts, alert);
      if (!raised) return;
      if (raised.cancel === 'no') raised.cancel = 'asked';
      follow(`cancel ${raised.alert.id}`, () => app.cancel(raised.alert.id), {
        done: () => {
          raised.cancel = 'done';
        },
        failed: () => {
          if (raised.cancel === 'asked') raised.cancel = 'no';
        },
      });
    },
  }),
};

// ---------------------------------------------------------------------------------------------------------------------
// What an app shows. It may be anything: an attempt is not trusted to keep to its types.

interface Shown {
  readonly contactId: string;
  readonly channel: string;
  readonly stage: number;
  readonly status: string;
}
interface ShownAlert {
  readonly status: string;
  readonly recipients: ReadonlyMap<string, { stage: number; ackedBy: string | null; attempts: readonly Shown[] }>;
}

function stateOf(app: Escalation | null | undefined): ReadonlyMap<string, ShownAlert> {
  const state: Partial<EscalationState> | undefined = app?.getState();
  return new Map(
    Object.entries(state?.alerts ?? {}).map(([id, { status, recipients }]) => [
      id,
      { status, recipients: new Map(Object.entries(recipients ?? {})) },
    ]),
  );
}

const shown = ({ phones }: World) => stateOf(phones[0]?.app);

const placeOf = ({ contactId, channel, stage }: { contactId: string; channel: string; stage: number }) =>
  `${channel} to ${contactId} at stage ${stage}`;

function view(app: Escalation): Json {
  const rows = [...stateOf(app)].map(([id, { status, recipients }]) => {
    const ladders = [...recipients].map(([who, { stage, ackedBy, attempts }]): [string, Json] => [
      who,
      { stage, ackedBy, attempts: attempts.map((attempt) => `${placeOf(attempt)}: ${attempt.status}`).sort() },
    ]);
    return [id, { status, recipients: Object.fromEntries(ladders) }] as [string, Json];
  });
  return Object.fromEntries(rows);
}

// ---------------------------------------------------------------------------------------------------------------------
// What a request says

interface Message {
  readonly alertId: string;
  readonly contactId: string;
  readonly channel: Channel;
  readonly stage: Stage;
}

const SENDS = 'POST /sends';
const EVENTS = 'GET /alerts/:id/events';

function messageOf({ body }: RequestRecord): Message | undefined {
  try {
    return JSON.parse(body ?? '');
  } catch {
    return undefined;
  }
}

const alertOf = ({ url }: RequestRecord): string => decodeURIComponent(/\/alerts\/([^/]+)\//.exec(url)?.[1] ?? '');

/** Calls `look` for each message as it leaves the phone, and `other` for everything else. */
function atSend(
  look: (world: World) => {
    send?(message: Message, raised: Raised, request: RequestRecord): string | undefined;
    other?(event: TraceEvent): void;
  },
): Look {
  return (world) => {
    const { send, other } = look(world);
    return (event) => {
      if (event.kind !== 'request' || event.phase !== 'sent' || event.request.endpoint !== SENDS) {
        other?.(event);
        return undefined;
      }
      const message = messageOf(event.request);
      const raised = message && world.facts.raised.get(message.alertId);
      return raised && send?.(message, raised, event.request);
    };
  };
}

/** Tells of each answer about events that reached the app whole. */
function goodLooks(then: (alertId: string, request: RequestRecord) => void): (event: TraceEvent) => void {
  const spoilt = new Set<number>();
  return (event) => {
    if (event.kind === 'fault' && event.target === EVENTS && /truncate|portal/.test(event.fault)) spoilt.add(event.nth);
    if (event.kind !== 'request' || event.phase !== 'received' || event.request.endpoint !== EVENTS) return;
    if (event.note === '200' && !spoilt.has(event.request.nth)) then(alertOf(event.request), event.request);
  };
}

const minutes = (ms: number): string => `${Math.round(ms / SECOND / 6) / 10} min`;

/** Those of an alert's recipients for whom this contact stands at this stage. */
const meantFor = ({ alert }: Raised, { contactId, stage }: Message): Recipient[] =>
  alert.recipients.filter((recipient) => contactAt(recipient, stage)?.id === contactId);

/** Nothing that was sent for this recipient at this stage may still reach anybody. */
function isUnreached({ backend }: World, { alert }: Raised, recipient: Recipient, stage: number): boolean {
  const failed = new Set(
    backend
      .eventsOf(alert.id)
      .filter(({ kind }) => kind === 'failed')
      .map(placeOf),
  );
  const isAlive = (message: Message) =>
    message.stage === stage &&
    contactAt(recipient, message.stage)?.id === message.contactId &&
    !failed.has(placeOf(message));
  return !backend.sentFor(alert.id).some(isAlive);
}

/** Whether R4 lets a stage begin although its time has not come. */
function isForced(world: World, raised: Raised, recipient: Recipient, stage: number, sinceMs: number): boolean {
  if (stage < 2) return false;
  if (stage === 2) {
    const isPastFirst = sinceMs >= DUE_MS[1] - GRACE_MS && isUnreached(world, raised, recipient, 1);
    return isPastFirst || isUnreached(world, raised, recipient, 0);
  }
  const isSecondThere = sinceMs >= DUE_MS[2] - GRACE_MS || isForced(world, raised, recipient, 2, sinceMs);
  return isSecondThere && isUnreached(world, raised, recipient, 2);
}

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: the messages

const oneMessage: Rule = {
  id: 'one-message',
  promise: 'No message leaves the server twice for one alert, contact, channel and stage.',
  spec: ['R3', 'E11'],
  watch: () => {
    const seen = new Set<string>();
    return (event) => {
      if (event.kind !== 'effect' || event.label !== 'sent') return undefined;
      const message = event.data as unknown as Message;
      const place = `${message.alertId}: ${placeOf(message)}`;
      if (seen.has(place)) return `${place} left the server a second time.`;
      seen.add(place);
      return undefined;
    };
  },
};

const ackEndsSends: Rule = {
  id: 'ack-ends-sends',
  promise: 'Nothing is sent for a recipient whose acknowledgement the engine has received.',
  spec: ['R6'],
  watch: atSend(({ backend, facts }) => {
    const told = new Map<number, number>();
    const hear = goodLooks((alertId, request) => {
      const seq = told.get(request.id) ?? 0;
      const before = facts.heard.get(alertId)?.seq ?? 0;
      if (seq > before) facts.heard.set(alertId, { seq, atMs: request.endedAtMs ?? 0 });
    });
    return {
      send(message, raised, { sentAtMs }) {
        const heard = facts.heard.get(message.alertId);
        // The answer and a message may cross within the same moment.
        if (!heard || sentAtMs - heard.atMs < 1) return undefined;
        const acks = backend.eventsOf(message.alertId).filter(({ kind, seq }) => kind === 'acked' && seq <= heard.seq);
        const isAcked = (recipient: Recipient) => acks.some(({ contactId }) => isAbout(recipient, contactId));
        const meant = meantFor(raised, message);
        if (meant.length === 0 || !meant.every(isAcked)) return undefined;
        return `${message.alertId}: ${placeOf(message)} was sent ${minutes(sentAtMs - heard.atMs)} after the phone had received the ack of ${acks[0]?.contactId}.`;
      },
      other(event) {
        if (event.kind === 'kill') facts.heard.clear();
        if (event.kind === 'launch') facts.launches = event.launch;
        if (event.kind === 'request' && event.phase === 'answered' && event.request.endpoint === EVENTS) {
          told.set(event.request.id, backend.eventsOf(alertOf(event.request)).length);
        }
        hear(event);
      },
    };
  }),
};

const notBeforeItsTime: Rule = {
  id: 'not-before-its-time',
  promise: 'As long as the clock is not changed, no stage begins before its time, unless R4 says so.',
  spec: ['R5'],
  watch: atSend((world) => {
    let isClockTrue = true;
    return {
      send(message, raised, { sentAtMs }) {
        const sinceMs = sentAtMs - raised.atMs;
        if (!isClockTrue || sinceMs >= DUE_MS[message.stage] - GRACE_MS) return undefined;
        const meant = meantFor(raised, message);
        if (meant.some((recipient) => isForced(world, raised, recipient, message.stage, sinceMs))) return undefined;
        return `${message.alertId}: ${placeOf(message)} was sent ${minutes(sinceMs)} after raise, not ${minutes(DUE_MS[message.stage])}.`;
      },
      other(event) {
        if (event.kind === 'clock') isClockTrue = false;
      },
    };
  }),
};

/** Whether a stage has sent nothing yet, on this phone. */
function createFirsts() {
  const seen = new Set<string>();
  return ({ alertId, contactId, stage }: Message): boolean => {
    const place = `${alertId} ${contactId} ${stage}`;
    if (seen.has(place)) return false;
    seen.add(place);
    return true;
  };
}

const looksBeforeItClimbs: Rule = {
  id: 'looks-before-it-climbs',
  promise: 'A timed stage begins only after a fetch that began when it was due.',
  spec: ['R7'],
  watch: atSend((world) => {
    const isFirst = createFirsts();
    const lookedAt = new Map<string, number>();
    let isClockTrue = true;
    const hear = goodLooks((alertId, { sentAtMs }) => {
      lookedAt.set(alertId, Math.max(sentAtMs, lookedAt.get(alertId) ?? 0));
    });
    return {
      send(message, raised, { sentAtMs }) {
        const dueAtMs = raised.atMs + DUE_MS[message.stage];
        if (!isFirst(message) || message.stage === 0 || !isClockTrue) return undefined;
        if ((lookedAt.get(message.alertId) ?? -1) >= dueAtMs - GRACE_MS) return undefined;
        const meant = meantFor(raised, message);
        if (meant.some((one) => isForced(world, raised, one, message.stage, sentAtMs - raised.atMs))) return undefined;
        return `${message.alertId}: ${placeOf(message)} was sent without a fetch since that stage was due.`;
      },
      other(event) {
        if (event.kind === 'clock') isClockTrue = false;
        hear(event);
      },
    };
  }),
};

const isWake = (event: TraceEvent): boolean =>
  event.kind === 'launch' ||
  (event.kind === 'condition' && (event.condition === 'online' || event.condition === 'foreground'));

const looksAfterWaking: Rule = {
  id: 'looks-after-waking',
  promise:
    'After a launch, back online or in the foreground, nothing is sent for an alert before its events are fetched.',
  spec: ['R8'],
  watch: atSend(({ facts }) => {
    const lookedAt = new Map<string, number>();
    let wokenAtMs = 0;
    const hear = goodLooks((alertId, { sentAtMs }) => {
      lookedAt.set(alertId, Math.max(sentAtMs, lookedAt.get(alertId) ?? 0));
    });
    return {
      send(message, raised, { sentAtMs }) {
        const isNew =
          raised.launch === facts.launches && (raised.storedAtMs === null || raised.storedAtMs > wokenAtMs - GRACE_MS);
        if (isNew || (lookedAt.get(message.alertId) ?? -1) >= wokenAtMs) return undefined;
        return `${message.alertId}: ${placeOf(message)} was sent ${minutes(sentAtMs - wokenAtMs)} after the app woke up, without a look at the events.`;
      },
      other(event) {
        if (isWake(event)) wokenAtMs = event.atMs;
        hear(event);
      },
    };
  }),
};

const noBurst: Rule = {
  id: 'no-burst',
  promise: 'A stage that is overtaken by a higher one sends nothing any more.',
  spec: ['R8', 'E3'],
  watch: atSend((world) => {
    const isFirst = createFirsts();
    const begun = new Map<string, number>();
    let isClockTrue = true;
    return {
      send(message, raised, { sentAtMs }) {
        const { alertId, stage } = message;
        const isNew = isFirst(message);
        const meant = meantFor(raised, message);
        const stageOf = (recipient: Recipient) => begun.get(`${alertId} ${recipient.id}`) ?? 0;
        if (meant.length > 0 && meant.every((recipient) => stageOf(recipient) > stage)) {
          return `${alertId}: ${placeOf(message)} was sent after stage ${Math.max(...meant.map(stageOf))} had begun.`;
        }
        // A contact who stands for two recipients tells nothing of either.
        if (meant.length === 1 && meant[0]) begun.set(`${alertId} ${meant[0].id}`, stage);
        const nextDueMs = DUE_MS[stage + 1];
        const sinceMs = sentAtMs - raised.atMs;
        if (!raised.alert.requiresAck || !isNew || !isClockTrue || nextDueMs === undefined) return undefined;
        if (sinceMs < nextDueMs + BEGIN_MS) return undefined;
        if (meant.some((recipient) => isForced(world, raised, recipient, stage, sinceMs))) return undefined;
        return `${alertId}: ${placeOf(message)} was sent ${minutes(sinceMs)} after raise, when stage ${stage + 1} was due.`;
      },
      other(event) {
        if (event.kind === 'clock') isClockTrue = false;
      },
    };
  }),
};

const silentWhenOver: Rule = {
  id: 'silent-when-over',
  promise: 'Nothing is sent for an alert that was cancelled or has expired.',
  spec: ['R10'],
  watch: atSend(({ facts, phones }) => ({
    send(message, { alert, cancel }) {
      if (cancel !== 'no') return `${alert.id}: ${placeOf(message)} was sent after the alert was cancelled.`;
      const overMs = (phones[0]?.nowMs ?? 0) - (alert.expiresAt ?? Number.POSITIVE_INFINITY);
      return overMs >= GRACE_MS
        ? `${alert.id}: ${placeOf(message)} was sent ${minutes(overMs)} after the alert had expired.`
        : undefined;
    },
    other(event) {
      if (event.kind !== 'kill') return;
      // Nobody was told that it is cancelled: it may go on.
      for (const raised of facts.raised.values()) if (raised.cancel === 'asked') raised.cancel = 'no';
    },
  })),
};

const silentOffline: Rule = {
  id: 'silent-offline',
  promise: 'No request leaves while netInfo says offline.',
  spec: ['R10'],
  watch: () => (event) => {
    if (event.kind !== 'request' || event.phase !== 'sent' || event.request.sentOnline) return undefined;
    return `${event.request.endpoint}, request ${event.request.nth}, left while the phone was offline.`;
  },
};

const asksThePolicy: Rule = {
  id: 'asks-the-policy',
  promise: 'No message leaves at a time at which the policy does not allow it.',
  spec: ['R9'],
  watch: atSend(({ phones }) => ({
    send({ alertId, contactId, channel, stage }, { alert }) {
      const contact = alert.recipients.find(({ id }) => id === contactId);
      const purpose = alert.priority === 'critical' ? 'emergency' : 'service';
      if (contactId !== 'qin' || !contact) return undefined;
      const answer = policy({ contact, channel, purpose, at: phones[0]?.nowMs ?? 0 });
      return answer.allowed
        ? undefined
        : `${alertId}: ${placeOf({ contactId, channel, stage })} was sent against the policy: ${answer.reason}.`;
    },
  })),
};

const leavesTheDead: Rule = {
  id: 'leaves-the-dead',
  promise: 'An address that was refused is not tried again for the same alert.',
  spec: ['R4'],
  watch: atSend(() => {
    const refused = new Map<string, number>();
    const addressOf = ({ alertId, contactId, channel }: Message) => `${alertId}: ${channel} to ${contactId}`;
    return {
      send(message, _raised, { sentAtMs }) {
        const atMs = refused.get(addressOf(message));
        if (atMs === undefined || sentAtMs - atMs < 1) return undefined;
        return `${addressOf(message)} was tried again at stage ${message.stage}, ${minutes(sentAtMs - atMs)} after a 422.`;
      },
      other(event) {
        // A refusal that was not stored yet is forgotten, and rightly asked for again.
        if (event.kind === 'kill') refused.clear();
        if (event.kind !== 'request' || event.phase !== 'received' || event.note !== '422') return;
        const message = messageOf(event.request);
        if (message) refused.set(addressOf(message), event.atMs);
      },
    };
  }),
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: the pace

const whatIsAsked = ({ headers, url }: RequestRecord): string => headers['idempotency-key'] ?? url;

const withinBackoff: Rule = {
  id: 'within-backoff',
  promise: 'Tries of one message grow rarer, up to one in 15 s on average.',
  spec: ['R3'],
  watch: growsRarer({
    keyOf: whatIsAsked,
    climbing: 10,
    everyMs: 4_000,
    isWake: (event) => isWake(event) || event.kind === 'push',
  }),
};

const obeysRetryAfter: Rule = {
  id: 'obeys-retry-after',
  promise: 'Nothing is tried again before its Retry-After is over.',
  spec: ['R3'],
  watch: waitsForRetryAfter({
    keyOf: (request) => (request.endpoint === SENDS ? whatIsAsked(request) : undefined),
    graceMs: GRACE_MS,
  }),
};

const noPolling: Rule = {
  id: 'no-polling',
  promise: 'Events are fetched for a reason: a push, a launch, connectivity, the foreground, a stage that is due.',
  spec: ['R7'],
  watch: () => {
    // One for each stage and the end, and as many again for what the moment may bring twice.
    const looks = new Map<string, number>();
    let reasons = 10;
    return (event) => {
      if (isWake(event)) reasons += 2;
      if (event.kind === 'push' || event.kind === 'clock') reasons += 1;
      if (event.kind !== 'request' || event.request.endpoint !== EVENTS) return undefined;
      const alertId = alertOf(event.request);
      const count = looks.get(alertId) ?? 0;
      const isVain =
        event.phase === 'failed' || event.phase === 'aborted' || (event.phase === 'received' && event.note !== '200');
      if (isVain) looks.set(alertId, count - 1);
      if (event.phase !== 'sent') return undefined;
      looks.set(alertId, count + 1);
      if (count < reasons) return undefined;
      return `The events of ${alertId} were fetched ${count + 1} times, and at most ${reasons} times there was a reason.`;
    };
  },
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold once all is well again

const storedOnes = ({ facts }: World): Raised[] =>
  [...facts.raised.values()].filter(({ storedAtMs }) => storedAtMs !== null);

function raisedButGone(world: World): string | undefined {
  const state = shown(world);
  const gone = storedOnes(world).find(({ alert }) => !state.has(alert.id));
  return gone && `${gone.alert.id} was raised and stored, and is gone.`;
}

const raisedIsKept: Rule = {
  id: 'raised-is-kept',
  promise: 'Every alert whose raise has resolved is there.',
  spec: ['R1'],
  settled: raisedButGone,
  relaunched: raisedButGone,
};

const comesToAnEnd: Rule = {
  id: 'comes-to-an-end',
  promise: 'Every alert ends, and nobody without an ack is left below the top of the ladder.',
  spec: ['R5'],
  settled: (world) => {
    for (const [id, { status, recipients }] of shown(world)) {
      if (status === 'active') return `${id} is still active after hours of quiet.`;
      if (status !== 'exhausted') continue;
      const left = [...recipients].find(([, { ackedBy, stage }]) => ackedBy === null && stage !== 3);
      if (left) return `${id} is exhausted, but ${left[0]} was left at stage ${left[1].stage} without an ack.`;
    }
    return undefined;
  },
};

const topIsTried: Rule = {
  id: 'top-is-tried',
  promise: 'Where an emergency contact exists, an exhausted ladder has tried them.',
  spec: ['R5'],
  settled: (world) => {
    const state = shown(world);
    for (const { alert } of world.facts.raised.values()) {
      const now = state.get(alert.id);
      if (now?.status !== 'exhausted') continue;
      for (const { id, emergencyContact } of alert.recipients) {
        const ladder = now.recipients.get(id);
        const isTried = ladder?.attempts.some(
          ({ stage, contactId }) => stage === 3 && contactId === emergencyContact?.id,
        );
        if (emergencyContact && ladder?.ackedBy === null && !isTried)
          return `${alert.id} is exhausted, but ${emergencyContact.id} was never tried for ${id}.`;
      }
    }
    return undefined;
  },
};

const acksAreTrue: Rule = {
  id: 'acks-are-true',
  promise: 'Shown as acknowledged is who was acknowledged for, by whom it was, and nobody else.',
  spec: ['R6'],
  settled: (world) => {
    const state = shown(world);
    for (const { alert } of world.facts.raised.values()) {
      const acks = world.backend.eventsOf(alert.id).filter(({ kind }) => kind === 'acked');
      const heard = world.facts.heard.get(alert.id)?.seq ?? 0;
      for (const recipient of alert.recipients) {
        const ladder = state.get(alert.id)?.recipients.get(recipient.id);
        if (!ladder) continue;
        const own = acks.filter(({ contactId }) => isAbout(recipient, contactId));
        if (ladder.ackedBy !== null && !own.some(({ contactId }) => contactId === ladder.ackedBy))
          return `${alert.id} shows ${recipient.id} as acknowledged by ${ladder.ackedBy}, who never did so.`;
        const missed = own.find(({ seq }) => seq <= heard);
        if (ladder.ackedBy === null && missed && state.get(alert.id)?.status === 'exhausted')
          return `${alert.id} shows no ack for ${recipient.id}, though the phone was told of that of ${missed.contactId}.`;
      }
    }
    return undefined;
  },
};

function recordAndState(world: World): string | undefined {
  const state = shown(world);
  for (const { alert } of world.facts.raised.values()) {
    const attempts = [...(state.get(alert.id)?.recipients.values() ?? [])].flatMap((ladder) => ladder.attempts);
    const sent = new Set(world.backend.sentFor(alert.id).map(placeOf));
    const shownPlaces = new Set(attempts.map(placeOf));
    const claimed = attempts.find(
      (attempt) => (attempt.status === 'sent' || attempt.status === 'delivered') && !sent.has(placeOf(attempt)),
    );
    if (claimed) return `${alert.id} shows ${placeOf(claimed)} as ${claimed.status}, but it never left the server.`;
    const untold = [...sent].find((place) => !shownPlaces.has(place));
    if (untold) return `${alert.id}: ${untold} left the server, but the attempts do not show it.`;
  }
  return undefined;
}

const shownIsTrue: Rule = {
  id: 'shown-is-true',
  promise: 'The attempts shown agree with the record of the server.',
  spec: ['R12'],
  settled: recordAndState,
  relaunched: recordAndState,
};

const shownIsStored: Rule = {
  id: 'shown-is-stored',
  promise: 'After one more launch the engine shows what it showed before.',
  spec: ['R1'],
  relaunched: (world, [before]) => {
    const app = world.phones[0]?.app;
    if (!app || before === undefined || before === null) return undefined;
    const is = JSON.stringify(view(app));
    const was = JSON.stringify(before);
    return is === was ? undefined : `Before a restart it showed ${was}, after it ${is}.`;
  },
};

// ---------------------------------------------------------------------------------------------------------------------

export const scenario = defineScenario<EscalationModule, Escalation, EscalationBackend, Facts>({
  kata: 'escalation-routing',
  apiUrl: 'https://api.oncall.test',
  slots: 8,
  gapsMs: [0, 50, 2 * SECOND, 40 * SECOND, 10 * MINUTE, 21 * MINUTE],
  endpoints: [SENDS, EVENTS],
  backend(context) {
    const backend = createBackend(context);
    for (const [contactId, channel] of DEAD) backend.breakAddress(contactId, channel);
    return backend;
  },
  facts: () => ({ raised: new Map(), launches: 1, heard: new Map() }),
  open({ module, device, apiUrl, follow, stateChanged }) {
    const app = module.createEscalation({ device, apiUrl, policy });
    app.subscribe(stateChanged);
    follow('start', () => app.start());
    return app;
  },
  close: (app) => app.dispose(),
  view,
  actions,
  conditions: {
    offline: { weight: 2, forMs: [20 * SECOND, 12 * MINUTE, 60 * MINUTE] },
    background: { weight: 2, forMs: [30 * SECOND, 16 * MINUTE, 50 * MINUTE] },
    kill: { weight: 2, forMs: [200, 5 * MINUTE, 40 * MINUTE] },
    clock: { byMs: [-60 * MINUTE, 60 * MINUTE] },
    outage: { forMs: [30 * SECOND, 4 * MINUTE] },
    flap: { forMs: [200, 2_500] },
  },
  faults: {
    [SENDS]: [
      'request-lost',
      'response-lost',
      'hang',
      'delay',
      'duplicate',
      'truncate',
      'portal',
      'answer-401',
      'answer-408',
      'answer-422',
      'answer-425',
      'answer-429-seconds',
      'answer-500',
      'answer-503',
      'applied-then-500',
      'kill-before',
      'kill-after',
    ],
    [EVENTS]: [
      'request-lost',
      'response-lost',
      'hang',
      'delay',
      'truncate',
      'portal',
      'answer-401',
      'answer-429-seconds',
      'answer-503',
      'kill-before',
      'kill-after',
    ],
    'storage.write': ['full', 'failed', 'slow', 'kill-before', 'kill-after'],
    'storage.read': ['slow', 'kill-before'],
    push: ['lost', 'doubled', 'late'],
  },
  invariants: [
    oneMessage,
    ackEndsSends,
    notBeforeItsTime,
    looksBeforeItClimbs,
    looksAfterWaking,
    noBurst,
    silentWhenOver,
    silentOffline,
    asksThePolicy,
    leavesTheDead,
    withinBackoff,
    obeysRetryAfter,
    noPolling,
    raisedIsKept,
    comesToAnEnd,
    topIsTried,
    acksAreTrue,
    shownIsTrue,
    shownIsStored,
  ],
  budgets: [
    {
      id: 'requests',
      promise: 'One request a message, one fetch a stage.',
      spec: ['R13'],
      measure: ({ costs }) => costs.requests,
      allowance: 1.3,
    },
    {
      id: 'storage-writes',
      promise: 'Few writes a stage.',
      spec: ['R13'],
      measure: ({ costs }) => costs.storageWrites,
      allowance: 1.6,
    },
    {
      id: 'wake-ups',
      promise: 'Between the stages the phone sleeps.',
      spec: ['R13'],
      measure: ({ costs }) => costs.timerWakeups,
      allowance: 1.6,
    },
  ],
  patienceMs: 240 * MINUTE,
});
