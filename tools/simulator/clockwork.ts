// Virtual time: the queue of what will happen, and the loop that makes it happen.
import { nextBeat } from './beats.ts';
import { EventQueue } from './event-queue.ts';

/** Both clocks begin here: a Monday morning, UTC. */
export const EPOCH_MS = Date.UTC(2026, 2, 2, 9, 0, 0);

const always = () => true;

export class Clockwork {
  readonly #queue = new EventQueue();
  #seq = 0;
  #nowMs = 0;
  #holds = 0;
  /** Events run so far: the measure of a runaway app. */
  eventCount = 0;

  /** Virtual time since the run began, in ms, with fractions. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Stops virtual time while something happens in real time. Gives the function that lets it go on. */
  hold(): () => void {
    this.#holds += 1;
    return () => {
      this.#holds -= 1;
    };
  }

  /** Plans something. `isWanted` is asked when its time has come. */
  after(delayMs: number, run: () => void, isWanted: () => boolean = always): void {
    this.#seq += 1;
    this.#queue.push({ atMs: this.#nowMs + delayMs, seq: this.#seq, run, isWanted });
  }

  /** Time of the next event, or null when nothing is planned. */
  nextAtMs(): number | null {
    return this.#queue.peek()?.atMs ?? null;
  }

  /**
   * Runs events in order until none is left before the horizon, or `stop` says so.
   * An event beyond the horizon stays planned; the clock then stands at the horizon.
   * Each has a beat of its own: what the app awaits settles before the next one.
   */
  runUntil(horizonMs: number, stop: () => boolean): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const beat = () => {
        try {
          const isDone = this.#holds === 0 && (stop() || !this.#runNext(horizonMs));
          if (isDone) resolve();
          else nextBeat(beat);
        } catch (error) {
          reject(error);
        }
      };
      nextBeat(beat);
    }).then(() => {
      if (!stop() && horizonMs !== Number.POSITIVE_INFINITY) this.#nowMs = Math.max(this.#nowMs, horizonMs);
    });
  }

  /** Runs the next event. False when there is none before the horizon. */
  #runNext(horizonMs: number): boolean {
    const next = this.#queue.peek();
    if (next === undefined || next.atMs > horizonMs) return false;
    this.#queue.pop();
    this.#nowMs = next.atMs;
    this.eventCount += 1;
    next.run();
    return true;
  }
}
