// Virtual time: the queue of what will happen, and the loop that makes it happen.
import { EventQueue } from './event-queue.ts';

/** Both clocks begin here: a Monday morning, UTC. */
export const EPOCH_MS = Date.UTC(2026, 2, 2, 9, 0, 0);

/** A turn of the real event loop: every promise that can settle without time passing has settled after it. About 1 µs. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Events that share one turn of the event loop. */
const EVENTS_PER_TURN = 32;

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
   *
   * Node settles all promises between two immediates of one turn, so each event has an immediate of its own,
   * and many share a turn: a whole turn of the event loop for each would cost more than the event.
   */
  runUntil(horizonMs: number, stop: () => boolean): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      let isDone = false;
      let waiting = 0;
      const beat = () => {
        waiting -= 1;
        try {
          if (this.#holds === 0) isDone ||= stop() || !this.#runNext(horizonMs);
        } catch (error) {
          reject(error);
          isDone = true;
        }
        if (waiting > 0) return;
        if (isDone) resolve();
        else refill();
      };
      const refill = () => {
        waiting = EVENTS_PER_TURN;
        for (let n = 0; n < EVENTS_PER_TURN; n += 1) setImmediate(beat);
      };
      refill();
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
