// The reference. What happens next is a pure function of what is stored and the time (`rules.ts`); the effects here only
// ask it: fetch, advance, store, send. In this order.
import type {
  Alert,
  Attempt,
  CreateEscalation,
  EscalationState,
  PolicyAnswer,
  Recipient,
} from '#contract/escalation-routing';
import {
  advance,
  type Case,
  close,
  contactAt,
  endAt,
  isClimbing,
  isSettled,
  isUnsent,
  type Ladder,
  mapLadders,
  type Outcome,
  open,
  type ServerEvent,
  settle,
  takeIn,
} from './rules.ts';

const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_CAP_MS = 30_000;
/** A longer delay overflows `setTimeout`, which then fires at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;
const PLACES = 'escalation/alerts/';

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

  /** Runs after everything that happens, its own changes too, and asks one question: what may be done now? */
  function pump(): void {
    if (ending.signal.aborted) return;
    const nowMs = Date.now();
    for (const id of cases.keys()) update(id, (now) => advance(now, nowMs));
    if (isOnline) for (const one of cases.values()) if (one.status === 'active') drive(one, nowMs);
    setTimer(nowMs);
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
        // What one message changes may change the next: the pump that ran then has seen to it.
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
    const isEarly = performance.now() < hold.notBefore || (attempt.status === 'deferred' && nowMs < hold.allowedAt);
    if (hold.isOut || isEarly || !contact) return;
    const purpose = priority === 'critical' ? 'emergency' : 'service';
    const answer = policy?.({ contact, channel, purpose, at: nowMs }) ?? ALLOWED;
    if (!answer.allowed) {
      const allowedAt = answer.nextAllowedAt ?? 0;
      const canWait = (ladder: Ladder) => allowedAt > nowMs && allowedAt < endAt(one, ladder);
      const outcomeFor = (ladder: Ladder): Outcome => ({
        status: canWait(ladder) ? 'deferred' : 'skipped',
        reason: answer.reason,
      });
      holds.set(key, { ...hold, allowedAt });
      return settleSend(id, attempt, isUnsent, outcomeFor);
    }
    holds.set(key, { ...hold, isOut: true });
    if (attempt.status === 'deferred') settleSend(id, attempt, isUnsent, () => ({ status: 'sending' }));
    const message = { alertId: id, contactId, channel, stage, text };
    const { status, body, retryAfterMs } = await ask('/sends', postOf(key, message));
    if (status === 202 && isObject(body)) return settleSend(id, attempt, isUntold, () => ({ status: 'sent' }));
    if (status === 422) return settleSend(id, attempt, isUntold, () => ({ status: 'failed', reason: 'refused' }));
    const failures = hold.failures + 1;
    const notBefore = performance.now() + (retryAfterMs ?? backoffMs(failures));
    holds.set(key, { ...FREE, failures, notBefore });
    pump();
  }

  /** What became of one message, for every recipient it is meant for. */
  function settleSend(
    alertId: string,
    place: Attempt,
    isMeant: (attempt: Attempt) => boolean,
    outcomeFor: (ladder: Ladder) => Outcome,
  ): void {
    const settled = (ladder: Ladder) => settle(ladder, place, outcomeFor(ladder), isMeant);
    update(alertId, (now) => advance(mapLadders(now, settled), Date.now()));
  }

  async function ask(path: string, post?: RequestInit): Promise<Answer> {
    try {
      const response = await request(apiUrl + path, { ...post, signal: ending.signal });
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

/** No answer and no event has told of it yet: what was given up may have left all the same. */
const isUntold = (attempt: Attempt): boolean => !isSettled(attempt);

const postOf = (key: string, message: object): RequestInit => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
  body: JSON.stringify(message),
});

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
