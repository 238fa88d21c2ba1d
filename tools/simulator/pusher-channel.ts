// One channel of a Pusher server: who listens, what its events are numbered, what is kept of them.
import type { Json } from './plan.ts';

/** One subscriber. */
export interface Subscriber {
  readonly socketId: string;
  send(event: string, channel: string | null, data: Json, userId?: string): void;
}

/** A member of a presence channel, as `channel_data` names it. */
export interface PresenceMember {
  readonly userId: string;
  readonly userInfo?: Json;
}

/** A numbered event as it is kept. `data` holds `seq` as well, as it did on the wire. */
export interface KeptEvent {
  readonly name: string;
  readonly data: { readonly [key: string]: Json };
  readonly seq: number;
}

export class PusherChannel {
  readonly name: string;
  readonly isNumbered: boolean;
  readonly subscribers = new Map<string, Subscriber>();
  readonly #members = new Map<string, PresenceMember>();
  readonly #historyMax: number;
  #kept: KeptEvent[] = [];
  #seq = 0;

  constructor(name: string, isNumbered: boolean, historyMax: number) {
    this.name = name;
    this.isNumbered = isNumbered;
    this.#historyMax = historyMax;
  }

  /** The newest number; 0 before the first event. */
  get head(): number {
    return this.#seq;
  }

  /** Numbers an event and keeps it. Gives the data as it is sent. */
  number(name: string, data: Json): KeptEvent {
    this.#seq += 1;
    const isObject = typeof data === 'object' && data !== null && !Array.isArray(data);
    const event = { name, data: { ...(isObject ? data : { value: data }), seq: this.#seq }, seq: this.#seq };
    this.#kept.push(event);
    if (this.#kept.length > this.#historyMax) this.#kept.shift();
    return event;
  }

  /** Kept events after a number, in order; `gone` when some after it are no longer kept. */
  after(seq: number, limit: number): KeptEvent[] | 'gone' {
    const oldest = this.#seq - this.#kept.length;
    if (seq < oldest) return 'gone';
    return this.#kept.slice(seq - oldest, seq - oldest + limit);
  }

  /** Forgets what was kept up to a number. */
  forget(upTo: number): void {
    this.#kept = this.#kept.filter(({ seq }) => seq > upTo);
  }

  publish(
    event: string,
    data: Json,
    { except = null, userId }: { except?: string | null; userId?: string } = {},
  ): void {
    for (const subscriber of this.subscribers.values()) {
      if (subscriber.socketId !== except) subscriber.send(event, this.name, data, userId);
    }
  }

  /** Lets a subscriber in. On a presence channel the others hear of a person's first connection. */
  enter(subscriber: Subscriber, member: PresenceMember | null): void {
    if (member && !this.#isPresent(member.userId)) {
      this.publish('pusher_internal:member_added', memberData(member));
    }
    this.subscribers.set(subscriber.socketId, subscriber);
    if (member) this.#members.set(subscriber.socketId, member);
  }

  /** Takes a subscriber out. On a presence channel the others hear of a person's last connection. */
  leave(socketId: string): void {
    this.subscribers.delete(socketId);
    const member = this.#members.get(socketId);
    if (!this.#members.delete(socketId) || !member || this.#isPresent(member.userId)) return;
    this.publish('pusher_internal:member_removed', { user_id: member.userId });
  }

  memberOf(socketId: string): PresenceMember | undefined {
    return this.#members.get(socketId);
  }

  /** Each person once. */
  get members(): PresenceMember[] {
    return [...new Map([...this.#members.values()].map((member) => [member.userId, member])).values()];
  }

  /** What a new subscriber is told. */
  get welcome(): Json {
    if (!this.name.startsWith('presence-')) return {};
    const { members } = this;
    const hash = Object.fromEntries(members.map(({ userId, userInfo }) => [userId, userInfo ?? null]));
    return { presence: { count: members.length, ids: members.map(({ userId }) => userId), hash } };
  }

  #isPresent(userId: string): boolean {
    return [...this.#members.values()].some((member) => member.userId === userId);
  }
}

const memberData = ({ userId, userInfo }: PresenceMember): Json => ({ user_id: userId, user_info: userInfo ?? null });
