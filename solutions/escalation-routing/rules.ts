// What is stored of an alert, and the rules: pure functions, from a case and the time to the next case.
import type {
  Alert,
  AlertStatus,
  Attempt,
  Channel,
  Contact,
  Priority,
  Recipient,
  RecipientState,
  Stage,
} from '#contract/escalation-routing';

const MINUTE_MS = 60_000;
/** From `raise` on, by stage. */
const DUE_MS = [0, 15 * MINUTE_MS, 30 * MINUTE_MS, 60 * MINUTE_MS] as const;
const END_AFTER_MS = 15 * MINUTE_MS;
const FALLBACK_ORDER: readonly Channel[] = ['push', 'sms', 'voice', 'email'];
const CHANNELS: Readonly<Record<Priority, readonly Channel[]>> = {
  critical: ['push', 'sms', 'voice'],
  high: ['push', 'sms', 'email'],
  medium: ['push', 'email'],
  low: ['push'],
};

// ---------------------------------------------------------------------------------------------------------------------
// What is stored: one value an alert, with all that a next launch has to know.

export interface Case {
  readonly alert: Alert;
  /** Times are by the phone's clock: the only one that outlives a launch. */
  readonly raisedAt: number;
  readonly status: AlertStatus;
  /** Of the last event taken in. */
  readonly seq: number;
  readonly ladders: Readonly<Record<string, Ladder>>;
}

/** How far one recipient has got. */
export interface Ladder extends RecipientState {
  readonly begunAt: number;
  readonly isAtEnd: boolean;
}

export function open(alert: Alert, nowMs: number): Case {
  const bottom: Ladder = { stage: 0, ackedBy: null, attempts: [], begunAt: nowMs, isAtEnd: false };
  const ladders = Object.fromEntries(alert.recipients.map(({ id }) => [id, bottom]));
  const empty: Case = { alert, raisedAt: nowMs, status: 'active', seq: 0, ladders };
  return advance(
    mapLadders(empty, (ladder, recipient) => enter(empty, recipient, ladder, 0, nowMs)),
    nowMs,
  );
}

// ---------------------------------------------------------------------------------------------------------------------
// The rules: pure functions, from a case and the time to the next case.

/**
 * Takes a case as far as it goes now. `lookedAt` is when a fetch of its events began that has succeeded just now:
 * only with one does a timed stage begin.
 */
export function advance(now: Case, nowMs: number, lookedAt = Number.NEGATIVE_INFINITY): Case {
  if (now.status !== 'active') return now;
  if (nowMs >= (now.alert.expiresAt ?? Number.POSITIVE_INFINITY)) return close(now, 'expired');
  const climbed = mapLadders(now, (ladder, recipient, soFar) => climb(soFar, recipient, ladder, nowMs, lookedAt));
  const ladders = Object.values(climbed.ladders);
  if (ladders.every(({ ackedBy }) => ackedBy !== null)) return close(climbed, 'acknowledged');
  if (!now.alert.requiresAck) return ladders.some(isBusy) ? climbed : close(climbed, 'acknowledged');
  return ladders.every((ladder) => !isClimbing(ladder)) ? close(climbed, 'exhausted') : climbed;
}

/** R4 and R5 for one recipient: the highest of what is due and what dead channels force; else replacements. */
function climb(of: Case, recipient: Recipient, ladder: Ladder, nowMs: number, lookedAt: number): Ladder {
  if (!isClimbing(ladder)) return ladder;
  const due = of.alert.requiresAck ? highestDue(of, lookedAt) : 0;
  for (let now = ladder; ; ) {
    const contact = contactAt(recipient, now.stage);
    const forced = of.alert.requiresAck && (!contact || isSpent(now)) ? Math.max(2, now.stage + 1) : 0;
    if (forced > 3) return { ...now, isAtEnd: true };
    const next = toStage(Math.max(due, forced));
    if (next > now.stage) {
      const passed = next === due ? late(of, recipient, now.stage, next) : [];
      now = enter(of, recipient, { ...now, attempts: [...now.attempts, ...passed] }, next, nowMs);
      continue;
    }
    const channel = contact && replacement(of, now);
    if (!channel) {
      // Below the top, the next stage has begun by then.
      const isAtEnd = lookedAt >= endAt(of, now);
      return isAtEnd ? { ...endUnsent(now, 'exhausted'), isAtEnd } : now;
    }
    now = { ...now, attempts: [...now.attempts, planned(of, contact, channel, now.stage)] };
  }
}

function enter(of: Case, recipient: Recipient, ladder: Ladder, stage: Stage, nowMs: number): Ladder {
  const attempts = plan(of, recipient, stage, (contact, channel) => planned(of, contact, channel, stage));
  const before = endUnsent(ladder, 'late').attempts;
  return { ...ladder, stage, begunAt: nowMs, attempts: [...before, ...attempts] };
}

/** R8: stages that were due, but are passed over, leave a trace and send nothing. */
function late(of: Case, recipient: Recipient, from: Stage, to: Stage): Attempt[] {
  const between = ([1, 2] as const).filter((stage) => stage > from && stage < to);
  return between.flatMap((stage) =>
    plan(of, recipient, stage, ({ id }, channel) => {
      return { contactId: id, channel, stage, status: 'skipped', reason: 'late' };
    }),
  );
}

/** One attempt for each channel of a stage. None where the contact is missing. */
function plan(
  of: Case,
  recipient: Recipient,
  stage: Stage,
  attemptTo: (contact: Contact, channel: Channel) => Attempt,
): Attempt[] {
  const contact = contactAt(recipient, stage);
  return contact ? channelsAt(of, stage).map((channel) => attemptTo(contact, channel)) : [];
}

/** An attempt before its first try. The same place may have been tried for another recipient: then that is its outcome. */
function planned(of: Case, contact: Contact, channel: Channel, stage: Stage): Attempt {
  const place = { contactId: contact.id, channel, stage };
  const others = Object.values(of.ladders).flatMap(({ attempts }) => attempts);
  const twin = others.find((other) => isSamePlace(other, place) && isSettled(other));
  if (twin) return twin;
  if (!contact.addresses[channel]) return { ...place, status: 'skipped', reason: 'no address' };
  const isDead = others.some(
    (other) => other.contactId === contact.id && other.channel === channel && other.reason === 'refused',
  );
  return isDead ? { ...place, status: 'skipped', reason: 'dead address' } : { ...place, status: 'sending' };
}

/** R4: the first channel not yet used at this stage, as long as fewer are alive than were planned. */
function replacement(of: Case, { stage, attempts }: Ladder): Channel | undefined {
  const here = attempts.filter((attempt) => attempt.stage === stage);
  if (here.filter(isAlive).length >= channelsAt(of, stage).length) return undefined;
  return FALLBACK_ORDER.find((channel) => here.every((attempt) => attempt.channel !== channel));
}

/** Each of the four channels has been in vain at this stage. */
function isSpent({ stage, attempts }: Ladder): boolean {
  const here = attempts.filter((attempt) => attempt.stage === stage);
  return here.length === FALLBACK_ORDER.length && !here.some(isAlive);
}

function highestDue({ raisedAt }: Case, atMs: number): number {
  return DUE_MS.findLastIndex((dueMs) => atMs >= raisedAt + dueMs);
}

/** When this recipient's next timed stage, or the end, is due. */
export function endAt({ alert, raisedAt }: Case, { stage, begunAt }: Ladder): number {
  if (!alert.requiresAck) return Number.POSITIVE_INFINITY;
  return stage === 3 ? begunAt + END_AFTER_MS : raisedAt + (DUE_MS[stage + 1] ?? 0);
}

export interface ServerEvent {
  readonly seq: number;
  readonly contactId: string;
  readonly channel: unknown;
  readonly stage: unknown;
  readonly kind: unknown;
}

/** R6: only `acked` is an acknowledgement, and it counts wherever this contact stands. */
export function takeIn(now: Case, event: ServerEvent): Case {
  if (event.seq <= now.seq) return now;
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

export const close = (now: Case, status: AlertStatus): Case => ({
  ...mapLadders(now, (ladder) => endUnsent(ladder, status)),
  status,
});

type Place = { readonly contactId: unknown; readonly channel: unknown; readonly stage: unknown };
export type Outcome = Pick<Attempt, 'status' | 'reason'>;
const DELIVERED: Outcome = { status: 'delivered' };
const NOT_DELIVERED: Outcome = { status: 'failed' };

export function settle(ladder: Ladder, place: Place, outcome: Outcome, isMeant: (attempt: Attempt) => boolean): Ladder {
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

const mapAttempts = (ladder: Ladder, change: (attempt: Attempt) => Attempt): Ladder => ({
  ...ladder,
  attempts: ladder.attempts.map(change),
});

/** Gives back the case it got when no ladder has changed: then there is nothing to store. */
export function mapLadders(now: Case, change: (ladder: Ladder, recipient: Recipient, soFar: Case) => Ladder): Case {
  let soFar = now;
  for (const recipient of now.alert.recipients) {
    const ladder = soFar.ladders[recipient.id];
    const next = ladder && change(ladder, recipient, soFar);
    if (next && next !== ladder) soFar = { ...soFar, ladders: { ...soFar.ladders, [recipient.id]: next } };
  }
  return soFar;
}

export const isUnsent = ({ status }: Attempt) => status === 'sending' || status === 'deferred';
const isAlive = ({ status }: Attempt) => status !== 'failed' && status !== 'skipped';
export const isSettled = ({ status }: Attempt) => status === 'sent' || status === 'delivered' || status === 'failed';
const isBusy = ({ attempts }: Ladder) => attempts.some(isUnsent);
export const isClimbing = ({ ackedBy, isAtEnd }: Ladder) => ackedBy === null && !isAtEnd;
const isSamePlace = (a: Place, b: Place) =>
  a.contactId === b.contactId && a.channel === b.channel && a.stage === b.stage;
const toStage = (number: number): Stage => (number === 1 || number === 2 || number === 3 ? number : 0);
export const contactAt = (recipient: Recipient, stage: Stage): Contact | undefined =>
  stage === 3 ? recipient.emergencyContact : stage === 2 ? recipient.manager : recipient;
const channelsAt = ({ alert }: Case, stage: Stage): readonly Channel[] =>
  stage === 3 ? ['voice'] : CHANNELS[alert.priority];
const peopleOf = (recipient: Recipient): Contact[] =>
  [recipient, recipient.manager, recipient.emergencyContact].filter((one) => one !== undefined);
