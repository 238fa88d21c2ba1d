// What an escalation engine is, seen from outside: types only, shared by stub, reference and suite.
import type { Device } from '#phone';

export type Channel = 'push' | 'sms' | 'voice' | 'email';

export type Priority = 'critical' | 'high' | 'medium' | 'low';

/** A rung of the ladder: 0 at once, 1 the same channels again, 2 the manager, 3 the emergency contact. */
export type Stage = 0 | 1 | 2 | 3;

/** A person and how to reach them. A channel without an address is left out. */
export interface Contact {
  readonly id: string;
  /** IANA name, such as `Europe/Berlin`: for the policy. */
  readonly timeZone: string;
  readonly addresses: Partial<Readonly<Record<Channel, string>>>;
}

/** Somebody the alert is for, with the people who stand in when there is no answer. */
export interface Recipient extends Contact {
  readonly manager?: Contact;
  readonly emergencyContact?: Contact;
}

export interface Alert {
  readonly id: string;
  readonly priority: Priority;
  readonly text: string;
  /** False: stage 0 is all there is. */
  readonly requiresAck: boolean;
  /** By the phone's clock, ms since 1970. From then on nothing is sent. */
  readonly expiresAt?: number;
  /** At least one, each with an id of its own. */
  readonly recipients: readonly Recipient[];
}

/**
 * `deferred`: the policy said later. `sending`: to be sent, or out. `sent`: the server has taken it.
 * `delivered`: an event said so. `failed`: a 422 or a `failed` event. `skipped`: not sent, and will not be.
 */
export type AttemptStatus = 'deferred' | 'sending' | 'sent' | 'delivered' | 'failed' | 'skipped';

/** One channel to one contact at one stage. There is one at most of each. */
export interface Attempt {
  readonly contactId: string;
  readonly channel: Channel;
  readonly stage: Stage;
  readonly status: AttemptStatus;
  /** Why it was skipped: `late`, or words of your own or of the policy. */
  readonly reason?: string;
}

export interface RecipientState {
  /** The highest stage that has begun. */
  readonly stage: Stage;
  /** The contact who acknowledged first, by the order of the events. */
  readonly ackedBy: string | null;
  readonly attempts: readonly Attempt[];
}

export type AlertStatus = 'active' | 'acknowledged' | 'cancelled' | 'expired' | 'exhausted';

export interface AlertState {
  readonly status: AlertStatus;
  /** By the recipient's id. */
  readonly recipients: Readonly<Record<string, RecipientState>>;
}

export interface EscalationState {
  /** By the alert's id. */
  readonly alerts: Readonly<Record<string, AlertState>>;
}

export interface PolicyQuestion {
  readonly contact: Contact;
  readonly channel: Channel;
  /** `emergency` for critical alerts, else `service`. */
  readonly purpose: 'emergency' | 'service';
  /** When the message would leave, by the phone's clock: ms since 1970. */
  readonly at: number;
}

export type PolicyAnswer =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: string; readonly nextAllowedAt: number | null };

export interface EscalationOptions {
  readonly device: Device;
  /** Without a slash at its end, such as `https://api.example.com`. */
  readonly apiUrl: string;
  /** Used in place of the global one: it carries the session. */
  readonly fetch?: typeof fetch;
  /** May this message leave now? Allows everything unless given. Answers at once and never throws. */
  readonly policy?: (question: PolicyQuestion) => PolicyAnswer;
}

export interface Escalation {
  /** Restores what an earlier launch left behind, then catches up. */
  start(): Promise<void>;
  /** Resolves once the alert would survive a kill. Rejects when it could not be stored; then nothing is sent. */
  raise(alert: Alert): Promise<void>;
  /** Ends the alert at once. Resolves once that is stored. */
  cancel(alertId: string): Promise<void>;
  getState(): EscalationState;
  /** Calls the listener after each change of the state. Gives the function that ends it. */
  subscribe(listener: () => void): () => void;
  /** Ends all requests, timers and listeners. What is stored stays for the next launch. */
  dispose(): void;
}

export type CreateEscalation = (options: EscalationOptions) => Escalation;

/** What an attempt exports. */
export interface EscalationModule {
  readonly createEscalation: CreateEscalation;
}
