import type { EffectHost } from './host.ts';
import { Listeners } from './listeners.ts';

export interface NotificationContent {
  readonly title: string | null;
  readonly body: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Notification {
  /** By the phone's clock, ms since 1970. */
  readonly date: number;
  readonly request: { readonly identifier: string; readonly content: NotificationContent };
}

export type PermissionStatus = 'granted' | 'denied' | 'undetermined';

/** Structural subset of `expo-notifications`. A push may be lost or doubled; one that finds no running app is lost. */
export interface Notifications {
  /** Called for each push and each local notification while the app runs. */
  addNotificationReceivedListener(listener: (notification: Notification) => void): { remove(): void };
  getPermissionsAsync(): Promise<{ readonly status: PermissionStatus }>;
  requestPermissionsAsync(): Promise<{ readonly status: PermissionStatus }>;
  /** The token by which the server reaches this phone. */
  getDevicePushTokenAsync(): Promise<{ readonly type: 'ios' | 'android'; readonly data: string }>;
}

export function createNotifications(host: EffectHost, current: () => { permission: PermissionStatus }, token: string) {
  const listeners = new Listeners<[Notification]>();
  const ask = <T>(call: string, read: () => T) =>
    host.perform({ target: 'notifications', call: `notifications.${call}`, detail: '' }, read);
  const module: Notifications = {
    addNotificationReceivedListener: (listener) => ({ remove: listeners.add(listener) }),
    getPermissionsAsync: () => ask('getPermissionsAsync', () => ({ status: current().permission })),
    requestPermissionsAsync: () => ask('requestPermissionsAsync', () => ({ status: current().permission })),
    getDevicePushTokenAsync: () => ask('getDevicePushTokenAsync', () => ({ type: 'ios' as const, data: token })),
  };
  return {
    module,
    listeners,
    received: (notification: Notification) => host.deliver(() => listeners.emit(notification)),
  };
}
