// Opened once, then one call after another, then over: the life of whatever keeps things on a disk.
import { createSerialQueue, type InTurn, singleFlight } from '#solutions/token-refresh';

export interface Turns {
  /** One opening serves all who ask for it. After one that has failed it may be asked for again. */
  open(): Promise<void>;
  /** Waits for the opening, and for nobody else. Rejects when it is over. */
  ready(): Promise<void>;
  /** Runs a job once it is open and all jobs before it have ended, well or not. Rejects when it is over by then. */
  readonly take: InTurn;
  /** Nothing begins any more. Resolves when what is under way has ended. */
  end(): Promise<void>;
  isOver(): boolean;
}

export interface TurnsOptions<T> {
  /** Reads what is stored. */
  load(): Promise<T>;
  /** Takes it over, unless it was over before all was read. */
  begin(loaded: T): void;
  /** The error for who comes too late. */
  over(): Error;
}

/** A serial queue behind a door that `open` opens. */
export function createTurns<T>({ load, begin, over }: TurnsOptions<T>): Turns {
  const door = Promise.withResolvers<void>();
  const inTurn = createSerialQueue(door.promise);
  let isOpen = false;
  let isOver = false;

  function throwIfOver(): void {
    if (isOver) throw over();
  }

  const open = singleFlight(async () => {
    throwIfOver();
    if (isOpen) return;
    const loaded = await load();
    throwIfOver();
    begin(loaded);
    isOpen = true;
    door.resolve();
  });

  async function ready(): Promise<void> {
    await door.promise;
    throwIfOver();
  }

  const take: InTurn = (job) =>
    inTurn(() => {
      throwIfOver();
      return job();
    });

  async function end(): Promise<void> {
    isOver = true;
    door.resolve();
    // An opening under way is joined; none begins.
    await Promise.allSettled([isOpen || open(), inTurn(async () => undefined)]);
  }

  return { open, ready, take, end, isOver: () => isOver };
}
