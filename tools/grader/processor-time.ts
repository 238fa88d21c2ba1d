/** For so long the package keeps a process's file open, in ms. It must be some time: with none, it asks without end. */
const KEPT_MS = 5_000;

/** Processor time a process has used since it began, in ms; null when that cannot be told, as of one that is gone. */
export async function processorTimeOf(pid: number | undefined): Promise<number | null> {
  if (pid === undefined) return null;
  // Loaded when something is silent, which hardly anything ever is.
  const { default: pidusage } = await import('pidusage');
  return pidusage(pid, { maxage: KEPT_MS }).then(
    ({ ctime }) => ctime,
    () => null,
  );
}
