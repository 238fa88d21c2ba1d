import type { EffectHost } from './host.ts';

export type BackgroundTaskExecutor = () => Promise<unknown>;

/**
 * Structural subset of `expo-background-task` with `defineTask` of `expo-task-manager`.
 * While the app is in the background the OS runs registered tasks now and then, for about 30 s each; when is its own affair.
 */
export interface BackgroundTask {
  defineTask(taskName: string, executor: BackgroundTaskExecutor): void;
  /** `minimumInterval` in minutes, at least 15. The OS keeps to it at least, never exactly. */
  registerTaskAsync(taskName: string, options?: { readonly minimumInterval?: number }): Promise<void>;
  unregisterTaskAsync(taskName: string): Promise<void>;
}

/** Shortest interval there is, in minutes. Source: expo-background-task, `minimumInterval`. */
const SHORTEST_MINUTES = 15;

export interface RegisteredTask {
  readonly name: string;
  readonly minimumIntervalMs: number;
  readonly run: BackgroundTaskExecutor;
}

export function createBackgroundTask(host: EffectHost) {
  const executors = new Map<string, BackgroundTaskExecutor>();
  const intervals = new Map<string, number>();
  const ask = (call: string, detail: string, apply: () => void) =>
    host.perform({ target: 'backgroundTask', call: `backgroundTask.${call}`, detail }, apply);
  const module: BackgroundTask = {
    defineTask: (taskName, executor) => {
      executors.set(taskName, executor);
    },
    registerTaskAsync: (taskName, { minimumInterval = 0 } = {}) =>
      ask('registerTaskAsync', taskName, () => {
        if (!executors.has(taskName))
          throw new Error(`Task "${taskName}" is not defined. Call defineTask before registerTaskAsync.`);
        intervals.set(taskName, Math.max(SHORTEST_MINUTES, minimumInterval) * 60_000);
      }),
    unregisterTaskAsync: (taskName) =>
      ask('unregisterTaskAsync', taskName, () => {
        intervals.delete(taskName);
      }),
  };
  const registered = (): RegisteredTask[] =>
    [...intervals].flatMap(([name, minimumIntervalMs]) => {
      const run = executors.get(name);
      return run ? [{ name, minimumIntervalMs, run }] : [];
    });
  return { module, registered };
}
