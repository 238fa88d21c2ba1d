import type { EffectHost } from './host.ts';
import { Listeners } from './listeners.ts';

/** What `NetInfo` tells. `isInternetReachable` is null while the phone does not know. */
export interface NetInfoState {
  readonly type: 'none' | 'wifi' | 'cellular' | 'unknown';
  readonly isConnected: boolean;
  readonly isInternetReachable: boolean | null;
  readonly details: { readonly isConnectionExpensive: boolean } | null;
}

/** Structural subset of `@react-native-community/netinfo` (v11). */
export interface NetInfo {
  fetch(): Promise<NetInfoState>;
  /** Calls the listener once with the present state soon after, then at every change. Gives the function that removes it. */
  addEventListener(listener: (state: NetInfoState) => void): () => void;
}

export const OFFLINE: NetInfoState = {
  type: 'none',
  isConnected: false,
  isInternetReachable: false,
  details: null,
};
export const WIFI: NetInfoState = {
  type: 'wifi',
  isConnected: true,
  isInternetReachable: true,
  details: { isConnectionExpensive: false },
};
export const CELLULAR: NetInfoState = {
  type: 'cellular',
  isConnected: true,
  isInternetReachable: true,
  details: { isConnectionExpensive: true },
};

/** The module for one launch, and the handle its world moves it by. */
export function createNetInfo(host: EffectHost, current: () => NetInfoState) {
  const listeners = new Listeners<[NetInfoState]>();
  const ask = (call: string) =>
    host.perform({ target: 'netInfo', call: `netInfo.${call}`, detail: '' }, () => current());

  const module: NetInfo = {
    fetch: () => ask('fetch'),
    addEventListener(listener) {
      let removed = false;
      const remove = listeners.add(listener);
      // The state of the moment it is told, not of the moment it was asked for: it can never undo a newer event.
      void ask('addEventListener').then(() => {
        if (!removed) listener(current());
      });
      return () => {
        removed = true;
        remove();
      };
    },
  };
  return { module, listeners, changed: () => host.deliver(() => listeners.emit(current())) };
}
