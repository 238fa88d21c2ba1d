// Another honest design: a class per alert that changes its record in place, a table of messages that recipients share,
// keys drawn at random and stored, and MMKV, whose writes are done when they return.
import type {
  Alert,
  AlertState,
  AlertStatus,
  Attempt,
  Channel,
  Contact,
  CreateEscalation,
  Escalation,
  EscalationOptions,
  Recipient,
  Stage,
} from '#contract/escalation-routing';

const MINUTE = 60_000;
const STAGE_AT = [0, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE];
const LAST_WAIT = 15 * MINUTE;
const PREFIX = 'escalation.';
const ORDER: Channel[] = ['push', 'sms', 'voice', 'email'];
const BY_PRIORITY: Record<Alert['priority'], Channel[]> = {
  critical: ['push', 'sms', 'voice'],
  high: ['push', 'sms', 'email'],
  medium: ['push', 'email'],
  low: ['push'],
};

/** One message, however many recipients it is for. */
interface Message {
  readonly key: string;
  readonly contactId: string;
  readonly channel: Channel;
  readonly stage: Stage;
  outcome: 'sent' | 'delivered' | 'failed' | null;
  isDead: boolean;
}

/** A recipient's share in a message. With `skip` they do not wait for it any more. */
interface Share {
  readonly contactId: string;
  readonly channel: Channel;
  readonly stage: Stage;
  skip: string | null;
  isDeferred: boolean;
}

interface Climber {
  stage: Stage;
  begunAt: number;
  ackedBy: string | null;
  isDone: boolean;
  shares: Share[];
}

interface Stored {
  readonly alert: Alert;
  readonly raisedAt: number;
  status: AlertStatus;
  seq: number;
  climbers: Record<string, Climber>;
  messages: Record<string, Message>;
}

/** Kept for one launch only. */
interface Pause {
  failures: number;
  until: number;
  deferredTo: number;
  isOut: boolean;
}

type Place = Pick<Message, 'contactId' | 'channel' | 'stage'>;
const placeOf = ({ contactId, channel, stage }: Place) => JSON.stringify([contactId, channel, stage]);

function contactOf(recipient: Recipient, stage: Stage): Contact | undefined {
  if (stage === 2) return recipient.manager;
  return stage === 3 ? recipient.emergencyContact : recipient;
}

/** One alert while the app runs. */
class Run {
  readonly #desk: Desk;
  readonly data: Stored;
  readonly #pauses = new Map<string, Pause>();
  #isBlind = false;
  #wantsLook = false;
  #isLooking = false;
  #lookFailures = 0;
  #lookAgainAt = 0;
  #saveFailures = 0;
  #saveAgainAt = 0;
  #saved: string;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(desk: Desk, data: Stored, saved: string) {
    this.#desk = desk;
    this.data = data;
    this.#saved = saved;
  }

  /** The alert as it is raised. */
  static open(alert: Alert, raisedAt: number): Stored {
    const climbers = alert.recipients.map(({ id }): [string, Climber] => [
      id,
      { stage: 0, begunAt: raisedAt, ackedBy: null, isDone: false, shares: [] },
    ]);
    const data: Stored = {
      alert,
      raisedAt,
      status: 'active',
      seq: 0,
      climbers: Object.fromEntries(climbers),
      messages: {},
    };
    const planner = new Planner(data);
    planner.eachClimber((climber, recipient) => planner.enter(climber, recipient, 0, raisedAt));
    planner.move(raisedAt, null);
    return data;
  }

  wake(): void {
    this.#isBlind = true;
    this.wantLook();
  }

  wantLook(): void {
    this.#wantsLook = true;
    this.step(null);
  }

  end(status: AlertStatus): void {
    if (this.data.status === 'active') new Planner(this.data).finish(status);
    this.step(null);
  }

  get isSaved(): boolean {
    return this.#saved === JSON.stringify(this.data);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Moves what can be moved, saves, then sends. */
  step(lookedAt: number | null): void {
    if (this.#desk.isClosed) return;
    const before = JSON.stringify(this.data);
    new Planner(this.data).move(Date.now(), lookedAt);
    if (this.data.status === 'active' && this.#desk.isOnline) {
      this.#look();
      if (this.#save() && !this.#isBlind) for (const place of Object.keys(this.data.messages)) this.#try(place);
    }
    this.#save();
    if (before !== JSON.stringify(this.data) || lookedAt !== null) this.#desk.changed();
    this.#arm();
  }

  #save(): boolean {
    const text = JSON.stringify(this.data);
    if (text === this.#saved) return true;
    if (performance.now() < this.#saveAgainAt) return false;
    try {
      this.#desk.mmkv.set(PREFIX + this.data.alert.id, text);
      this.#saved = text;
      this.#saveFailures = 0;
      return true;
    } catch {
      this.#saveFailures += 1;
      this.#saveAgainAt = performance.now() + pauseMs(this.#saveFailures);
      return false;
    }
  }

  #look(): void {
    const nowMs = Date.now();
    const isDue = Object.values(this.data.climbers).some((climber) => this.#nextAt(climber) <= nowMs);
    if (this.#isLooking || performance.now() < this.#lookAgainAt || !(isDue || this.#wantsLook)) return;
    this.#isLooking = true;
    this.#wantsLook = false;
    const id = encodeURIComponent(this.data.alert.id);
    void this.#desk.ask(`/alerts/${id}/events?after=${this.data.seq}`, {}).then((answer) => {
      this.#isLooking = false;
      const events = answer.status === 200 && isObject(answer.body) ? answer.body.events : null;
      if (Array.isArray(events)) {
        this.#lookFailures = 0;
        if (!this.#wantsLook) this.#isBlind = false;
        for (const event of events) if (isObject(event)) new Planner(this.data).hear(event);
        this.step(nowMs);
      } else {
        this.#lookFailures += 1;
        this.#wantsLook = true;
        this.#lookAgainAt = performance.now() + (answer.retryAfterMs ?? pauseMs(this.#lookFailures));
        this.step(null);
      }
    });
  }

  #nextAt({ stage, begunAt, ackedBy, isDone }: Climber): number {
    if (!this.data.alert.requiresAck || ackedBy !== null || isDone) return Number.POSITIVE_INFINITY;
    return stage === 3 ? begunAt + LAST_WAIT : this.data.raisedAt + (STAGE_AT[stage + 1] ?? 0);
  }

  #pauseOf(place: string): Pause {
    const pause = this.#pauses.get(place) ?? { failures: 0, until: 0, deferredTo: 0, isOut: false };
    this.#pauses.set(place, pause);
    return pause;
  }

  /** Those who still wait for this message. */
  #waiting(place: string): [Climber, Recipient, Share][] {
    const found: [Climber, Recipient, Share][] = [];
    for (const recipient of this.data.alert.recipients) {
      const climber = this.data.climbers[recipient.id];
      const share = climber?.shares.find((one) => placeOf(one) === place && one.skip === null);
      if (climber && share) found.push([climber, recipient, share]);
    }
    return found;
  }

  #try(place: string): void {
    const message = this.data.messages[place];
    const pause = this.#pauseOf(place);
    const nowMs = Date.now();
    if (!message || message.outcome || pause.isOut) return;
    const waiting = this.#waiting(place);
    const isDeferred = waiting.every(([, , share]) => share.isDeferred) && nowMs < pause.deferredTo;
    if (performance.now() < pause.until || isDeferred) return;
    const [first] = waiting;
    const contact = first && contactOf(first[1], message.stage);
    if (!contact) return;
    const purpose = this.data.alert.priority === 'critical' ? 'emergency' : 'service';
    const word = this.#desk.policy({ contact, channel: message.channel, purpose, at: nowMs });
    if (!word.allowed) {
      const until = word.nextAllowedAt ?? 0;
      for (const [climber, , share] of waiting) {
        share.isDeferred = until > nowMs && until < this.#deadline(climber);
        if (!share.isDeferred) share.skip = word.reason;
      }
      pause.deferredTo = until;
      this.#desk.soon(() => this.step(null));
      return;
    }
    for (const [, , share] of waiting) share.isDeferred = false;
    pause.isOut = true;
    void this.#send(message, pause);
  }

  #deadline(climber: Climber): number {
    return this.data.alert.requiresAck ? this.#nextAt(climber) : Number.POSITIVE_INFINITY;
  }

  async #send(message: Message, pause: Pause): Promise<void> {
    const { contactId, channel, stage, key } = message;
    const { id, text } = this.data.alert;
    const answer = await this.#desk.ask('/sends', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
      body: JSON.stringify({ alertId: id, contactId, channel, stage, text }),
    });
    pause.isOut = false;
    if (answer.status === 202 && isObject(answer.body)) message.outcome ??= 'sent';
    else if (answer.status === 422) {
      message.outcome ??= 'failed';
      message.isDead = true;
    } else {
      pause.failures += 1;
      pause.until = performance.now() + (answer.retryAfterMs ?? pauseMs(pause.failures));
    }
    this.step(null);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const [nowMs, tick] = [Date.now(), performance.now()];
    const waits = [this.#saveAgainAt - tick];
    if (this.data.status === 'active') {
      waits.push((this.data.alert.expiresAt ?? Number.POSITIVE_INFINITY) - nowMs);
      if (this.#desk.isOnline) {
        waits.push(this.#lookAgainAt - tick);
        for (const climber of Object.values(this.data.climbers)) waits.push(this.#nextAt(climber) - nowMs);
        for (const [place, { until, deferredTo }] of this.#pauses) {
          if (this.#waiting(place).length > 0) waits.push(until - tick, deferredTo - nowMs);
        }
      }
    }
    const ahead = waits.filter((ms) => ms > 0 && ms < Number.POSITIVE_INFINITY);
    if (ahead.length === 0) return;
    this.#timer = setTimeout(() => this.step(null), Math.min(Math.ceil(Math.min(...ahead)), 2 ** 31 - 1));
  }
}

/** The rules, as changes of a record. */
class Planner {
  readonly #data: Stored;

  constructor(data: Stored) {
    this.#data = data;
  }

  eachClimber(visit: (climber: Climber, recipient: Recipient) => void): void {
    for (const recipient of this.#data.alert.recipients) {
      const climber = this.#data.climbers[recipient.id];
      if (climber) visit(climber, recipient);
    }
  }

  statusOf(share: Share): Attempt['status'] {
    const outcome = this.#data.messages[placeOf(share)]?.outcome;
    if (outcome) return outcome;
    if (share.skip !== null) return 'skipped';
    return share.isDeferred ? 'deferred' : 'sending';
  }

  finish(status: AlertStatus): void {
    this.#data.status = status;
    this.eachClimber((climber) => this.#giveUp(climber, status));
  }

  #giveUp(climber: Climber, reason: string): void {
    for (const share of climber.shares) {
      if (this.#isOpen(share)) share.skip = reason;
    }
  }

  #isOpen(share: Share): boolean {
    const status = this.statusOf(share);
    return status === 'sending' || status === 'deferred';
  }

  #isAlive(share: Share): boolean {
    const status = this.statusOf(share);
    return status !== 'failed' && status !== 'skipped';
  }

  move(nowMs: number, lookedAt: number | null): void {
    const { alert, climbers } = this.#data;
    if (this.#data.status !== 'active') return;
    if (alert.expiresAt !== undefined && nowMs >= alert.expiresAt) {
      this.finish('expired');
      return;
    }
    this.eachClimber((climber, recipient) => {
      if (climber.ackedBy === null && !climber.isDone) this.#climb(climber, recipient, nowMs, lookedAt);
    });
    const all = Object.values(climbers);
    if (all.every(({ ackedBy }) => ackedBy !== null)) this.finish('acknowledged');
    else if (alert.requiresAck && all.every(({ ackedBy, isDone }) => ackedBy !== null || isDone)) {
      this.finish('exhausted');
    } else if (!alert.requiresAck) {
      const isBusy = all.some(({ ackedBy, shares }) => ackedBy === null && shares.some((share) => this.#isOpen(share)));
      if (!isBusy) this.finish('acknowledged');
    }
  }

  #climb(climber: Climber, recipient: Recipient, nowMs: number, lookedAt: number | null): void {
    const { alert, raisedAt } = this.#data;
    const dueStage = lookedAt === null ? 0 : STAGE_AT.findLastIndex((ms) => lookedAt >= raisedAt + ms);
    if (alert.requiresAck && dueStage > climber.stage && !(this.#isEmpty(climber, recipient) && dueStage < 2)) {
      for (const stage of [1, 2] as const) {
        if (stage > climber.stage && stage < dueStage) this.#recordLate(climber, recipient, stage);
      }
      this.enter(climber, recipient, dueStage === 1 ? 1 : dueStage === 2 ? 2 : 3, nowMs);
    }
    this.#mend(climber, recipient);
    while (alert.requiresAck && this.#isEmpty(climber, recipient)) {
      if (climber.stage === 3) {
        climber.isDone = true;
        return;
      }
      this.enter(climber, recipient, climber.stage === 2 ? 3 : 2, nowMs);
      this.#mend(climber, recipient);
    }
    if (alert.requiresAck && climber.stage === 3 && lookedAt !== null && lookedAt >= climber.begunAt + LAST_WAIT) {
      this.#giveUp(climber, 'exhausted');
      climber.isDone = true;
    }
  }

  enter(climber: Climber, recipient: Recipient, stage: Stage, nowMs: number): void {
    this.#giveUp(climber, 'late');
    climber.stage = stage;
    climber.begunAt = nowMs;
    for (const channel of this.#channels(recipient, stage)) this.#plan(climber, recipient, channel);
  }

  #channels(recipient: Recipient, stage: Stage): Channel[] {
    if (!contactOf(recipient, stage)) return [];
    return stage === 3 ? ['voice'] : BY_PRIORITY[this.#data.alert.priority];
  }

  #recordLate(climber: Climber, recipient: Recipient, stage: Stage): void {
    const contactId = contactOf(recipient, stage)?.id ?? '';
    for (const channel of this.#channels(recipient, stage)) {
      climber.shares.push({ contactId, channel, stage, skip: 'late', isDeferred: false });
    }
  }

  #plan(climber: Climber, recipient: Recipient, channel: Channel): void {
    const { stage } = climber;
    const contact = contactOf(recipient, stage);
    const share: Share = { contactId: contact?.id ?? '', channel, stage, skip: null, isDeferred: false };
    const place = placeOf(share);
    const isDead = Object.values(this.#data.messages).some(
      (message) => message.isDead && message.contactId === contact?.id && message.channel === channel,
    );
    if (!contact?.addresses[channel]) share.skip = 'has no address';
    else if (isDead && !this.#data.messages[place]) share.skip = 'address is dead';
    else {
      const { contactId } = share;
      this.#data.messages[place] ??= {
        key: crypto.randomUUID(),
        contactId,
        channel,
        stage,
        outcome: null,
        isDead: false,
      };
    }
    climber.shares.push(share);
  }

  #here(climber: Climber): Share[] {
    return climber.shares.filter(({ stage }) => stage === climber.stage);
  }

  #mend(climber: Climber, recipient: Recipient): void {
    const wanted = this.#channels(recipient, climber.stage).length;
    for (const channel of ORDER) {
      const here = this.#here(climber);
      if (here.filter((share) => this.#isAlive(share)).length >= wanted) return;
      if (here.every((share) => share.channel !== channel)) this.#plan(climber, recipient, channel);
    }
  }

  /** Nobody left to reach: no such contact, or each of the four channels has been in vain. */
  #isEmpty(climber: Climber, recipient: Recipient): boolean {
    if (!contactOf(recipient, climber.stage)) return true;
    const here = this.#here(climber);
    return here.length === ORDER.length && !here.some((share) => this.#isAlive(share));
  }

  hear(event: { readonly [name: string]: unknown }): void {
    const { seq, contactId, kind } = event;
    if (typeof seq !== 'number' || seq <= this.#data.seq || this.#data.status !== 'active') return;
    this.#data.seq = seq;
    if (kind === 'acked' && typeof contactId === 'string') {
      this.eachClimber((climber, recipient) => {
        const people = [recipient.id, recipient.manager?.id, recipient.emergencyContact?.id];
        if (climber.ackedBy !== null || !people.includes(contactId)) return;
        climber.ackedBy = contactId;
        this.#giveUp(climber, 'acknowledged');
      });
      return;
    }
    const message = Object.values(this.#data.messages).find(
      (one) => one.contactId === contactId && one.channel === event.channel && one.stage === event.stage,
    );
    if (message && (kind === 'delivered' || kind === 'failed')) message.outcome = kind;
  }
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfterMs: number | null;
}

/** What all alerts share: the phone, the line, the way out. */
class Desk implements Escalation {
  readonly #options: EscalationOptions;
  readonly #runs = new Map<string, Run>();
  readonly #cancelled = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  readonly #stops: (() => void)[] = [];
  readonly #ready = Promise.withResolvers<void>();
  isOnline = false;
  #wasOffline = false;

  constructor(options: EscalationOptions) {
    this.#options = options;
  }

  get mmkv() {
    return this.#options.device.mmkv;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  policy(question: Parameters<NonNullable<EscalationOptions['policy']>>[0]) {
    return this.#options.policy?.(question) ?? ({ allowed: true } as const);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  soon(run: () => void): void {
    queueMicrotask(run);
  }

  /** Never rejects. After `dispose` it never ends. */
  async ask(path: string, init: RequestInit): Promise<Answer> {
    const { apiUrl, fetch: request = fetch } = this.#options;
    const answer = await request(apiUrl + path, { ...init, signal: this.#closing.signal }).then(
      async (response): Promise<Answer> => {
        const seconds = Number(response.headers.get('Retry-After'));
        const body: unknown = await response.json().catch(() => null);
        return { status: response.status, body, retryAfterMs: seconds > 0 ? seconds * 1_000 : null };
      },
      () => ({ status: 0, body: null, retryAfterMs: null }),
    );
    return this.isClosed ? new Promise<never>(() => undefined) : answer;
  }

  async start(): Promise<void> {
    if (this.#stops.length === 0) this.#begin();
    for (const run of this.#runs.values()) run.wake();
  }

  #begin(): void {
    const { netInfo, appState, notifications, mmkv } = this.#options.device;
    for (const key of mmkv.getAllKeys().filter((one) => one.startsWith(PREFIX))) {
      const text = mmkv.getString(key) ?? '';
      const data: Stored = JSON.parse(text);
      this.#runs.set(data.alert.id, new Run(this, data, text));
    }
    const line = netInfo.addEventListener(({ isConnected }) => {
      this.isOnline = isConnected;
      for (const run of this.#runs.values()) {
        if (isConnected && this.#wasOffline) run.wake();
        else run.step(null);
      }
      this.#wasOffline = !isConnected;
    });
    const front = appState.addEventListener('change', (state) => {
      if (state === 'active') for (const run of this.#runs.values()) run.wake();
    });
    const pushes = notifications.addNotificationReceivedListener((push) => {
      const { type, alertId } = push.request.content.data;
      if (type === 'alert-events') this.#runs.get(String(alertId))?.wantLook();
    });
    this.#stops.push(
      line,
      () => front.remove(),
      () => pushes.remove(),
    );
    this.#ready.resolve();
  }

  async raise(alert: Alert): Promise<void> {
    const raisedAt = Date.now();
    await this.#ready.promise;
    this.#refuseIfClosed();
    if (this.#runs.has(alert.id)) return;
    const data = Run.open(alert, raisedAt);
    const text = JSON.stringify(data);
    this.mmkv.set(PREFIX + alert.id, text);
    const run = new Run(this, data, text);
    this.#runs.set(alert.id, run);
    this.changed();
    if (this.#cancelled.has(alert.id)) run.end('cancelled');
    else run.step(null);
  }

  async cancel(alertId: string): Promise<void> {
    this.#cancelled.add(alertId);
    await this.#ready.promise;
    this.#refuseIfClosed();
    this.#cancelled.delete(alertId);
    const run = this.#runs.get(alertId);
    run?.end('cancelled');
    for (let tries = 1; run && !run.isSaved; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs(tries)));
      this.#refuseIfClosed();
      run.step(null);
    }
  }

  #refuseIfClosed(): void {
    if (this.isClosed) throw new Error('This escalation was disposed.');
  }

  getState() {
    const alerts = [...this.#runs].map(([id, { data }]): [string, AlertState] => {
      const planner = new Planner(data);
      const attemptOf = (share: Share): Attempt => {
        const { contactId, channel, stage, skip } = share;
        const status = planner.statusOf(share);
        return { contactId, channel, stage, status, ...(status === 'skipped' && skip !== null && { reason: skip }) };
      };
      const recipients = Object.entries(data.climbers).map(([who, { stage, ackedBy, shares }]) => {
        return [who, { stage, ackedBy, attempts: shares.map(attemptOf) }] as const;
      });
      return [id, { status: data.status, recipients: Object.fromEntries(recipients) }];
    });
    return { alerts: Object.fromEntries(alerts) };
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dispose(): void {
    this.#closing.abort();
    for (const run of this.#runs.values()) run.stop();
    for (const stop of this.#stops) stop();
    this.#ready.resolve();
  }
}

function pauseMs(failures: number): number {
  return Math.random() * Math.min(30_000, 1_000 * 2 ** (failures - 1));
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const createEscalation: CreateEscalation = (options) => new Desk(options);
