import type { EffectHost } from './host.ts';
import { Listeners } from './listeners.ts';

export type AppStateStatus = 'active' | 'background';

/** Structural subset of React Native's `AppState`. In the background timers stand still. */
export interface AppState {
  readonly currentState: AppStateStatus;
  addEventListener(type: 'change', listener: (state: AppStateStatus) => void): { remove(): void };
}

/** The module for one launch, and the handle its world moves it by. */
export function createAppState(host: EffectHost, current: () => AppStateStatus) {
  const listeners = new Listeners<[AppStateStatus]>();
  const module: AppState = {
    get currentState() {
      return current();
    },
    addEventListener: (_type, listener) => ({ remove: listeners.add(listener) }),
  };
  return { module, listeners, changed: () => host.deliver(() => listeners.emit(current())) };
}
