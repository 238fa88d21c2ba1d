import type { EffectHost } from './host.ts';
import { Listeners } from './listeners.ts';

export type AppStateStatus = 'active' | 'background';

/** Structural subset of React Native's `AppState`. In the background timers stand still. */
export interface AppState {
  readonly currentState: AppStateStatus;
  addEventListener(type: 'change', listener: (state: AppStateStatus) => void): { remove(): void };
}

class LaunchAppState implements AppState {
  readonly listeners = new Listeners<[AppStateStatus]>();
  readonly #current: () => AppStateStatus;

  constructor(current: () => AppStateStatus) {
    this.#current = current;
  }

  get currentState(): AppStateStatus {
    return this.#current();
  }

  readonly addEventListener: AppState['addEventListener'] = (_type, listener) => ({
    remove: this.listeners.add(listener),
  });
}

/** The module for one launch, and the handle its world moves it by. */
export function createAppState(host: EffectHost, current: () => AppStateStatus) {
  const module = new LaunchAppState(current);
  const { listeners } = module;
  return { module, listeners, changed: () => host.deliver(() => listeners.emit(current())) };
}
