// The reference. What happens next is a pure function of what is stored and the time; effects only ask it, store, and send.
import type {
  Alert,
  AlertStatus,
  Attempt,
  Channel,
  Contact,
  CreateEscalation,
  EscalationState,
  PolicyAnswer,
  Priority,
  Recipient,
  RecipientState,
  Stage,
} from '#contract/escalation-routing';

const MINUTE_MS = 60_000;
/** From `raise` on, by stage. */
const DUE_MS = [0, 15 * MINUTE_MS, 30 * MINUTE_MS, 60 * MINUTE_MS] as const;
const END_AFTER_MS = 15 * MINUTE_MS;
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_CAP_MS = 30_000;
/** A longer delay overflows `setTimeout`, which then fires at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;
const PLACES = 'escalation/alerts/';
const FALLBACK_ORDER: readonly Channel[] = ['push', 'sms', 'voice', 'email'];
const CHANNELS: Readonly<Record<Priority, readonly Channel[]>> = {
  critical: ['push', 'sms', 'voice'],
  high: ['push', 'sms', 'email'],
  medium: ['push', 'email'],
  low: ['push'],
};

// ---------------------------------------------------------------------------------------------------------------------
// What is stored: one value an alert, with all that a next launch has to know.

interface Case {
  readonly alert: Alert;
  /** Times are by the phone's clock: the only one that outlives a launch. */
  readonly raisedAt: number;
  readonly status: AlertStatus;
  /** Of the last event taken in. */
  readonly seq: number;
  readonly ladders: Readonly<Record<string, Ladder>>;
}

/** How far one recipient has got. */
interface Ladder extends RecipientState {
  readonly begunAt: number;
  readonly isAtEnd: boolean;
}

function open(alert: Alert, nowMs: number): Case {
  const bottom: Ladder = { stage: 0, ackedBy: null, attempts: [], begunAt: nowMs, isAtEnd: false };
  const ladders = Object.fromEntries(alert.recipients.map(({ id }) => [id, bottom]));
  const empty: Case = { alert, raisedAt: nowMs, status: 'active', seq: 0, ladders };
  return advance(
    mapLadders(empty, (ladder, recipient) => enter(empty, recipient, ladder, 0, nowMs)),
    nowMs,
    null,
  );
}

// ---------------------------------------------------------------------------------------------------------------------
// The rules: pure functions, from a case and the time to the next case.

/**
 * Takes a case as far as it goes now. `lookedAt` is when a fetch of its events began that has succeeded just now:
 * only with one does a timed stage begin. Null when there was none.
 */
function advance(now: Case, nowMs: number, lookedAt: number | null): Case {
  if (now.status !== 'active') return now;
  if (nowMs >= (now.alert.expiresAt ?? Number.POSITIVE_INFINITY)) return close(now, 'expired');
  const climbed = mapLadders(now, (ladder, recipient, soFar) => climb(soFar, recipient, ladder, nowMs, lookedAt));
  const ladders = Object.values(climbed.ladders);
  if (ladders.every(({ ackedBy }) => ackedBy !== null)) return close(climbed, 'acknowledged');
  if (!now.alert.requiresAck) return ladders.some(isBusy) ? climbed : close(climbed, 'acknowledged');
  return ladders.every((ladder) => !isClimbing(ladder)) ? close(climbed, 'exhausted') : climbed;
}

/** R4 and R5 for one recipient: the highest of what is due and what dead channels force; else replacements. */
function climb(of: Case, recipient: Recipient, ladder: Ladder, nowMs: number, lookedAt: number | null): Ladder {
  if (!isClimbing(ladder)) return ladder;
  const due = of.alert.requiresAck && lookedAt !== null ? highestDue(of, lookedAt) : 0;
  for (let now = ladder; ; ) {
    const forced = of.alert.requiresAck && isSpent(recipient, now) ? Math.max(2, now.stage + 1) : 0;
    if (forced > 3) return { ...now, isAtEnd: true };
    const next = toStage(Math.max(due, forced));
    if (next > now.stage) {
      const passed = next === due ? late(of, recipient, now.stage, next) : [];
      now = enter(of, recipient, { ...now, attempts: [...now.attempts, ...passed] }, next, nowMs);
      continue;
    }
    const channel = replacement(of, recipient, now);
    if (!channel) {
      const isAtEnd = now.stage === 3 && lookedAt !== null && lookedAt >= endAt(of, now);
      return isAtEnd ? { ...endUnsent(now, 'exhausted'), isAtEnd } : now;
    }
    now = { ...now, attempts: [...now.attempts, planned(of, contactAt(recipient, now.stage), channel, now.stage)] };
  }
}

function enter(of: Case, recipient: Recipient, ladder: Ladder, stage: Stage, nowMs: number): Ladder {
  const contact = contactAt(recipient, stage);
  const attempts = channelsAt(of, recipient, stage).map((channel) => planned(of, contact, channel, stage));
  const before = endUnsent(ladder, 'late').attempts;
  return { ...ladder, stage, begunAt: nowMs, attempts: [...before, ...attempts] };
}

/** R8: stages that were due, but are passed over, leave a trace and send nothing. */
function late(of: Case, recipient: Recipient, from: Stage, to: Stage): Attempt[] {
  const between = ([1, 2] as const).filter((stage) => stage > from && stage < to);
  return between.flatMap((stage) =>
    channelsAt(of, recipient, stage).map((channel): Attempt => {
      const contactId = contactAt(recipient, stage)?.id ?? '';
      return { contactId, channel, stage, status: 'skipped', reason: 'late' };
    }),
  );
}

/** An attempt before its first try. The same place may have been tried for another recipient: then that is its outcome. */
function planned(of: Case, contact: Contact | undefined, channel: Channel, stage: Stage): Attempt {
  const place = { contactId: contact?.id ?? '', channel, stage };
  const others = Object.values(of.ladders).flatMap(({ attempts }) => attempts);
  const twin = others.find((other) => isSamePlace(other, place) && isSettled(other));
  if (twin) return twin;
  if (!contact?.addresses[channel]) return { ...place, status: 'skipped', reason: 'no address' };
  const isDead = others.some(
    (other) => other.contactId === contact.id && other.channel === channel && other.reason === 'refused',
  );
  return isDead ? { ...place, status: 'skipped', reason: 'dead address' } : { ...place, status: 'sending' };
}

/** R4: the first channel not yet used at this stage, as long as fewer are alive than were planned. */
function replacement(of: Case, recipient: Recipient, { stage, attempts }: Ladder): Channel | undefined {
  const here = attempts.filter((attempt) => attempt.stage === stage);
  if (here.filter(isAlive).length >= channelsAt(of, recipient, stage).length) return undefined;
  return FALLBACK_ORDER.find((channel) => here.every((attempt) => attempt.channel !== channel));
}

/** Nobody can be reached at this stage any more. */
function isSpent(recipient: Recipient, { stage, attempts }: Ladder): boolean {
  const here = attempts.filter((attempt) => attempt.stage === stage);
  return !contactAt(recipient, stage) || (here.length === FALLBACK_ORDER.length && !here.some(isAlive));
}

function highestDue({ raisedAt }: Case, atMs: number): number {
  return DUE_MS.findLastIndex((dueMs) => atMs >= raisedAt + dueMs);
}

/** When this recipient's next timed stage, or the end, is due. */
function endAt({ alert, raisedAt }: Case, { stage, begunAt }: Ladder): number {
  if (!alert.requiresAck) return Number.POSITIVE_INFINITY;
  return stage === 3 ? begunAt + END_AFTER_MS : raisedAt + (DUE_MS[stage + 1] ?? 0);
}

interface ServerEvent {
  readonly seq: number;
  readonly contactId: string;
  readonly channel: unknown;
  readonly stage: unknown;
  readonly kind: unknown;
}

/** R6: only `acked` is an acknowledgement, and it counts wherever this contact stands. */
function takeIn(now: Case, event: ServerEvent): Case {
  if (event.seq <= now.seq || now.status !== 'active') return now;
  const told = mapLadders(now, (ladder, recipient) => {
    if (event.kind !== 'acked') {
      return settle(ladder, event, event.kind === 'delivered' ? DELIVERED : NOT_DELIVERED, () => true);
    }
    const isMeant = peopleOf(recipient).some(({ id }) => id === event.contactId);
    if (!isMeant || ladder.ackedBy !== null) return ladder;
    return { ...endUnsent(ladder, 'acknowledged'), ackedBy: event.contactId };
  });
  return { ...told, seq: event.seq };
}

const close = (now: Case, status: AlertStatus): Case => ({
  ...mapLadders(now, (ladder) => endUnsent(ladder, status)),
  status,
});

type Place = { readonly contactId: unknown; readonly channel: unknown; readonly stage: unknown };
type Outcome = Pick<Attempt, 'status' | 'reason'>;
const DELIVERED: Outcome = { status: 'delivered' };
const NOT_DELIVERED: Outcome = { status: 'failed', reason: 'not delivered' };

function settle(ladder: Ladder, place: Place, outcome: Outcome, isMeant: (attempt: Attempt) => boolean): Ladder {
  const isHere = (attempt: Attempt) => isSamePlace(attempt, place) && isMeant(attempt);
  return mapAttempts(ladder, (attempt) => (isHere(attempt) ? toAttempt(attempt, outcome) : attempt));
}

const endUnsent = (ladder: Ladder, reason: string): Ladder =>
  mapAttempts(ladder, (attempt) => (isUnsent(attempt) ? toAttempt(attempt, { status: 'skipped', reason }) : attempt));

const toAttempt = ({ contactId, channel, stage }: Attempt, outcome: Outcome): Attempt => ({
  contactId,
  channel,
  stage,
  ...outcome,
});

/** Both maps give back what they got when nothing changed: an unchanged case needs no write. */
function mapAttempts(ladder: Ladder, change: (attempt: Attempt) => Attempt): Ladder {
  const attempts = ladder.attempts.map(change);
  return attempts.every((attempt, n) => attempt === ladder.attempts[n]) ? ladder : { ...ladder, attempts };
}

function mapLadders(now: Case, change: (ladder: Ladder, recipient: Recipient, soFar: Case) => Ladder): Case {
  let soFar = now;
  for (const recipient of now.alert.recipients) {
    const ladder = soFar.ladders[recipient.id];
    const next = ladder && change(ladder, recipient, soFar);
    if (next && next !== ladder) soFar = { ...soFar, ladders: { ...soFar.ladders, [recipient.id]: next } };
  }
  return soFar;
}

const isUnsent = ({ status }: Attempt) => status === 'sending' || status === 'deferred';
const isAlive = ({ status }: Attempt) => status !== 'failed' && status !== 'skipped';
const isSettled = ({ status }: Attempt) => status === 'sent' || status === 'delivered' || status === 'failed';
const isBusy = ({ attempts, ackedBy }: Ladder) => ackedBy === null && attempts.some(isUnsent);
const isClimbing = ({ ackedBy, isAtEnd }: Ladder) => ackedBy === null && !isAtEnd;
const isSamePlace = (a: Place, b: Place) =>
  a.contactId === b.contactId && a.channel === b.channel && a.stage === b.stage;
const toStage = (number: number): Stage => (number === 1 || number === 2 || number === 3 ? number : 0);
const contactAt = (recipient: Recipient, stage: Stage): Contact | undefined =>
  stage === 3 ? recipient.emergencyContact : stage === 2 ? recipient.manager : recipient;
const channelsAt = ({ alert }: Case, recipient: Recipient, stage: Stage): readonly Channel[] =>
  !contactAt(recipient, stage) ? [] : stage === 3 ? ['voice'] : CHANNELS[alert.priority];
const peopleOf = (recipient: Recipient): Contact[] =>
  [recipient, recipient.manager, recipient.emergencyContact].filter((one) => one !== undefined);

// ---------------------------------------------------------------------------------------------------------------------
// Effects: fetch, advance, store, send. In this order.

/** What one launch knows of an alert beside its case. */
interface Watch {
  /** There may be something new on the server. */
  isLookWanted: boolean;
  /** Nothing is sent until a look has succeeded. */
  isBlind: boolean;
  isLooking: boolean;
  failedLooks: number;
  /** By `performance.now()`: the phone's clock may jump, this one does not. */
  lookNotBefore: number;
}

/** What holds one message back: a pause after a failure, or the policy's word. */
interface Hold {
  readonly failures: number;
  readonly notBefore: number;
  /** By the phone's clock, as the policy's answer is. */
  readonly allowedAt: number;
  readonly isOut: boolean;
}

const ALLOWED: PolicyAnswer = { allowed: true };
const FREE: Hold = { failures: 0, notBefore: 0, allowedAt: 0, isOut: false };

export const createEscalation: CreateEscalation = ({ device, apiUrl, fetch: request = fetch, policy }) => {
  const { asyncStorage: disk, netInfo, appState, notifications } = device;
  const cases = new Map<string, Case>();
  const watches = new Map<string, Watch>();
  const holds = new Map<string, Hold>();
  const saves = new Map<string, Promise<void>>();
  const raising = new Map<string, Promise<void>>();
  const cancelling = new Set<string>();
  const listeners = new Set<() => void>();
  const stops: (() => void)[] = [];
  const ending = new AbortController();
  let isOnline: boolean | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let view: EscalationState | null = null;
  let isPumping = false;
  let isStale = false;
  let restoring: Promise<void> | undefined;
  let openGate = () => {};
  const started = new Promise<void>((resolve) => {
    openGate = resolve;
  });

  // Calls ------------------------------------------------------------------------------------------------------------

  async function start(): Promise<void> {
    restoring ??= restore();
    await restoring;
    wake();
  }

  async function restore(): Promise<void> {
    const keys = (await disk.getAllKeys()).filter((key) => key.startsWith(PLACES));
    for (const [, text] of await disk.multiGet(keys)) {
      if (text === null) continue;
      const stored: Case = JSON.parse(text);
      cases.set(stored.alert.id, stored);
    }
    if (ending.signal.aborted) throw disposed();
    view = null;
    stops.push(
      netInfo.addEventListener(({ isConnected }) => {
        const isBack = isConnected && isOnline === false;
        isOnline = isConnected;
        if (isBack) wake();
        else pump();
      }),
    );
    const foreground = appState.addEventListener('change', (state) => {
      if (state === 'active') wake();
    });
    const pushes = notifications.addNotificationReceivedListener(({ request: { content } }) => {
      if (content.data.type === 'alert-events') look(String(content.data.alertId));
    });
    stops.push(
      () => foreground.remove(),
      () => pushes.remove(),
    );
    openGate();
  }

  async function raise(alert: Alert): Promise<void> {
    const raisedAt = Date.now();
    await started;
    if (ending.signal.aborted) throw disposed();
    if (cases.has(alert.id)) return;
    const known = raising.get(alert.id);
    if (known) return known;
    const opened = open(alert, raisedAt);
    const stored = disk.setItem(PLACES + alert.id, JSON.stringify(opened)).then(() => {
      change(alert.id, opened);
    });
    raising.set(alert.id, stored);
    await stored.finally(() => raising.delete(alert.id));
  }

  async function cancel(alertId: string): Promise<void> {
    cancelling.add(alertId);
    await started;
    if (ending.signal.aborted) throw disposed();
    await raising.get(alertId)?.catch(() => undefined);
    update(alertId, (now) => (now.status === 'active' ? close(now, 'cancelled') : now));
    cancelling.delete(alertId);
    await saves.get(alertId);
  }

  function getState(): EscalationState {
    view ??= { alerts: Object.fromEntries([...cases].map(([id, one]) => [id, toState(one)])) };
    return view;
  }

  function dispose(): void {
    ending.abort(disposed());
    clearTimeout(timer);
    for (const stop of stops) stop();
    openGate();
  }

  // State ------------------------------------------------------------------------------------------------------------

  function change(alertId: string, next: Case): void {
    cases.set(alertId, next);
    view = null;
    for (const listener of listeners) listener();
    pump();
  }

  /** Changes a case in memory at once, and stores it. Until that is done, nothing is sent for it. */
  function update(alertId: string, next: (now: Case) => Case): void {
    const now = cases.get(alertId);
    const after = now && next(now);
    if (!after || after === now) return;
    if (!saves.has(alertId)) {
      const save = Promise.resolve().then(() => saveUntilStored(alertId));
      saves.set(alertId, save);
      save.then(pump, () => undefined);
    }
    change(alertId, after);
  }

  async function saveUntilStored(alertId: string): Promise<void> {
    for (let failures = 0; ; ) {
      const snapshot = cases.get(alertId);
      try {
        await disk.setItem(PLACES + alertId, JSON.stringify(snapshot));
        if (snapshot === cases.get(alertId)) break;
      } catch {
        failures += 1;
        await sleep(backoffMs(failures), ending.signal);
      }
    }
    saves.delete(alertId);
  }

  // What is next -----------------------------------------------------------------------------------------------------

  /** After `start`, back online or back in the foreground: look at every alert before anything else is sent for it. */
  function wake(): void {
    for (const id of cases.keys()) Object.assign(watchOf(id), { isLookWanted: true, isBlind: true });
    pump();
  }

  function look(alertId: string): void {
    if (!cases.has(alertId)) return;
    watchOf(alertId).isLookWanted = true;
    pump();
  }

  /** Runs after everything that happens, and asks one question: what may be done now? */
  function pump(): void {
    isStale = true;
    if (isPumping) return;
    for (isPumping = true; isStale && !ending.signal.aborted; ) {
      isStale = false;
      const nowMs = Date.now();
      for (const id of cases.keys()) update(id, (now) => advance(now, nowMs, null));
      if (isOnline) for (const one of cases.values()) if (one.status === 'active') drive(one, nowMs);
      setTimer(nowMs);
    }
    isPumping = false;
  }

  function drive(one: Case, nowMs: number): void {
    const { id } = one.alert;
    const watch = watchOf(id);
    const isDue = Object.values(one.ladders).some((ladder) => isClimbing(ladder) && nowMs >= endAt(one, ladder));
    const mayLook = !watch.isLooking && performance.now() >= watch.lookNotBefore;
    if ((watch.isLookWanted || isDue) && mayLook) void fetchEvents(id, watch);
    if (watch.isBlind || saves.has(id) || cancelling.has(id)) return;
    for (const recipient of one.alert.recipients) {
      for (const attempt of one.ladders[recipient.id]?.attempts ?? []) {
        // What one message changes may change the next: then the pump comes round again.
        if (isUnsent(attempt) && cases.get(id) === one) void deliver(one, recipient, attempt, nowMs);
      }
    }
  }

  async function fetchEvents(alertId: string, watch: Watch): Promise<void> {
    const lookedAt = Date.now();
    watch.isLooking = true;
    watch.isLookWanted = false;
    const after = cases.get(alertId)?.seq ?? 0;
    const { status, body, retryAfterMs } = await ask(`/alerts/${encodeURIComponent(alertId)}/events?after=${after}`);
    if (ending.signal.aborted) return;
    watch.isLooking = false;
    if (status === 200 && isObject(body) && Array.isArray(body.events)) {
      const events = body.events.filter(isEvent);
      watch.failedLooks = 0;
      watch.isBlind &&= watch.isLookWanted;
      update(alertId, (now) => advance(events.reduce(takeIn, now), Date.now(), lookedAt));
    } else {
      watch.failedLooks += 1;
      watch.isLookWanted = true;
      watch.lookNotBefore = performance.now() + (retryAfterMs ?? backoffMs(watch.failedLooks));
    }
    pump();
  }

  async function deliver(one: Case, recipient: Recipient, attempt: Attempt, nowMs: number): Promise<void> {
    const { id, text, priority } = one.alert;
    const { contactId, channel, stage } = attempt;
    const key = keyOf(one.alert, attempt);
    const hold = holds.get(key) ?? FREE;
    const contact = contactAt(recipient, stage);
    if (hold.isOut || performance.now() < hold.notBefore || nowMs < hold.allowedAt || !contact) return;
    const purpose = priority === 'critical' ? 'emergency' : 'service';
    const answer = policy?.({ contact, channel, purpose, at: nowMs }) ?? ALLOWED;
    if (!answer.allowed) {
      const allowedAt = answer.nextAllowedAt ?? 0;
      const ladder = one.ladders[recipient.id];
      const canWait = allowedAt > nowMs && ladder !== undefined && allowedAt < endAt(one, ladder);
      holds.set(key, { ...hold, allowedAt });
      settleSend(id, attempt, { status: canWait ? 'deferred' : 'skipped', reason: answer.reason }, recipient);
      return;
    }
    holds.set(key, { ...hold, isOut: true });
    if (attempt.status === 'deferred') settleSend(id, attempt, { status: 'sending' });
    const { status, body, retryAfterMs } = await ask('/sends', key, { alertId: id, contactId, channel, stage, text });
    if (ending.signal.aborted) return;
    if (status === 202 && isObject(body)) return settleSend(id, attempt, { status: 'sent' });
    if (status === 422) return settleSend(id, attempt, { status: 'failed', reason: 'refused' });
    const failures = hold.failures + 1;
    const notBefore = performance.now() + (retryAfterMs ?? backoffMs(failures));
    holds.set(key, { ...FREE, failures, notBefore });
    pump();
  }

  /** The outcome of one message, for every recipient it was meant for. What an event told before stays. */
  function settleSend(alertId: string, place: Attempt, outcome: Outcome, only?: Recipient): void {
    const isFinal = outcome.status === 'sent' || outcome.status === 'failed';
    const isMeant = (attempt: Attempt) => (isFinal ? !isSettled(attempt) : isUnsent(attempt));
    const settleIn = (ladder: Ladder, { id }: Recipient) =>
      !only || only.id === id ? settle(ladder, place, outcome, isMeant) : ladder;
    update(alertId, (now) => advance(mapLadders(now, settleIn), Date.now(), null));
  }

  async function ask(path: string, key?: string, message?: object): Promise<Answer> {
    const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': key ?? '' };
    const post = { method: 'POST', headers, body: JSON.stringify(message) };
    try {
      const response = await request(apiUrl + path, { ...(message && post), signal: ending.signal });
      const seconds = Number(response.headers.get('Retry-After'));
      const body: unknown = await response.json().catch(() => null);
      return { status: response.status, body, retryAfterMs: seconds > 0 ? seconds * 1_000 : null };
    } catch {
      return { status: null, body: null, retryAfterMs: null };
    }
  }

  /** One timer, for whatever comes first. Offline only an expiry can. */
  function setTimer(nowMs: number): void {
    clearTimeout(timer);
    const active = [...cases.values()].filter(({ status }) => status === 'active');
    const delays = active.flatMap((one) => [
      (one.alert.expiresAt ?? Number.POSITIVE_INFINITY) - nowMs,
      ...(isOnline ? delaysOf(one, nowMs) : []),
    ]);
    const nextMs = Math.min(...delays.filter((delayMs) => delayMs > 0));
    if (nextMs < Number.POSITIVE_INFINITY) timer = setTimeout(pump, Math.min(Math.ceil(nextMs), TIMER_MAX_MS));
  }

  function delaysOf(one: Case, nowMs: number): number[] {
    const ladders = Object.values(one.ladders).filter(isClimbing);
    const unsent = ladders.flatMap(({ attempts }) => attempts.filter(isUnsent));
    const held = unsent.flatMap((attempt) => {
      const { notBefore, allowedAt } = holds.get(keyOf(one.alert, attempt)) ?? FREE;
      return [notBefore - performance.now(), allowedAt - nowMs];
    });
    const { lookNotBefore } = watchOf(one.alert.id);
    return [lookNotBefore - performance.now(), ...ladders.map((ladder) => endAt(one, ladder) - nowMs), ...held];
  }

  function watchOf(alertId: string): Watch {
    const watch = watches.get(alertId) ?? {
      isLookWanted: false,
      isBlind: false,
      isLooking: false,
      failedLooks: 0,
      lookNotBefore: 0,
    };
    watches.set(alertId, watch);
    return watch;
  }

  return {
    start,
    raise,
    cancel,
    getState,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    dispose,
  };
};

// ---------------------------------------------------------------------------------------------------------------------

interface Answer {
  /** Null: no answer. Whether the server did it, nobody knows. */
  readonly status: number | null;
  readonly body: unknown;
  readonly retryAfterMs: number | null;
}

/** Idempotency key, made of what the message is: nothing to store, nothing to lose. */
const keyOf = ({ id }: Alert, { contactId, channel, stage }: Attempt): string =>
  [id, contactId, channel, stage].map(encodeURIComponent).join('/');

/** Full jitter: evenly from nothing to the bound, which doubles with each failure in a row. */
const backoffMs = (failures: number): number =>
  Math.random() * Math.min(BACKOFF_CAP_MS, BACKOFF_FIRST_MS * 2 ** (failures - 1));

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });

const disposed = () => new Error('The escalation was disposed. Create a new one.');

function toState({ status, ladders }: Case): EscalationState['alerts'][string] {
  const recipients = Object.entries(ladders).map(([id, { stage, ackedBy, attempts }]) => [
    id,
    { stage, ackedBy, attempts },
  ]);
  return { status, recipients: Object.fromEntries(recipients) };
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEvent(value: unknown): value is ServerEvent {
  return isObject(value) && typeof value.seq === 'number' && typeof value.contactId === 'string';
}
