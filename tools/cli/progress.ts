// One line that says what a long step is busy with: on a terminal only, on standard error, and gone afterwards.
export interface Progress {
  say(what: string): void;
  done(): void;
}

/** At most one change in so many ms: more cannot be read. */
const EVERY_MS = 80;

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { say: () => undefined, done: () => undefined };
  let saidAtMs = 0;
  const clear = () => stream.write('\r\u001b[2K');
  return {
    say(what) {
      const nowMs = performance.now();
      if (nowMs - saidAtMs < EVERY_MS) return;
      saidAtMs = nowMs;
      clear();
      stream.write(what.slice(0, Math.max(10, (stream.columns ?? 80) - 1)));
    },
    done() {
      clear();
    },
  };
}
