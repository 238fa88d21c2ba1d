// What must be tidied up when this process ends, however many things there are: one listener for all.
const waiting = new Set<() => void>();

process.on('exit', () => {
  for (const tidy of [...waiting]) tidy();
});

/** Calls `tidy` when this process ends. Gives the function that calls it off. */
export function atExit(tidy: () => void): () => void {
  waiting.add(tidy);
  return () => {
    waiting.delete(tidy);
  };
}
