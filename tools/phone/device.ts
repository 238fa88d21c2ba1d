// One launch's view of a phone: its modules over what the phone has stored.
import { type AppState, type AppStateStatus, createAppState } from './app-state.ts';
import { type AsyncStorage, createAsyncStorage } from './async-storage.ts';
import { type BackgroundTask, createBackgroundTask } from './background-task.ts';
import { type Battery, createBattery, type PowerState } from './battery.ts';
import type { Disk, Platform } from './disk.ts';
import { type FileSystem, LaunchFileSystem } from './file-system.ts';
import type { EffectHost } from './host.ts';
import { type Biometrics, createLocalAuthentication, type LocalAuthentication } from './local-authentication.ts';
import { createLocalization, type Localization } from './localization.ts';
import { createMmkv, type Mmkv } from './mmkv.ts';
import { createNetInfo, type NetInfo, type NetInfoState } from './net-info.ts';
import { createNotifications, type Notifications, type PermissionStatus } from './notifications.ts';
import { createQuickCrypto, type QuickCrypto } from './quick-crypto.ts';
import { createSecureStore, type SecureStore } from './secure-store.ts';
import { createSqlite, type SQLiteModule } from './sqlite.ts';

/** What a phone adds to the platform: structural subsets of React Native and Expo modules, same names, same signatures. */
export interface Device extends SQLiteModule {
  readonly asyncStorage: AsyncStorage;
  readonly mmkv: Mmkv;
  readonly netInfo: NetInfo;
  readonly appState: AppState;
  readonly battery: Battery;
  readonly secureStore: SecureStore;
  readonly localAuthentication: LocalAuthentication;
  readonly notifications: Notifications;
  readonly backgroundTask: BackgroundTask;
  readonly localization: Localization;
  readonly fileSystem: FileSystem;
  readonly quickCrypto: QuickCrypto;
}

/** The phone's condition, shared by all launches. The world or the test changes it, then says so by `changed`. */
export interface Conditions {
  network: NetInfoState;
  appState: AppStateStatus;
  power: PowerState;
  biometrics: Biometrics;
  /** Whether the person lets the app notify. */
  permission: PermissionStatus;
  /** IANA name, such as `Europe/Berlin`. */
  timeZone: string;
  /** By which the server reaches this phone. */
  readonly pushToken: string;
  /** Whose rules its Keychain follows. */
  platform: Platform;
  /** Whether the screen is locked: most keychain items cannot be read then. */
  isLocked: boolean;
}

export function defaultConditions(pushToken = 'push-token-1'): Conditions {
  return {
    network: { type: 'wifi', isConnected: true, isInternetReachable: true, details: { isConnectionExpensive: false } },
    appState: 'active',
    power: { batteryLevel: 0.8, batteryState: 'unplugged', lowPowerMode: false },
    biometrics: { hasHardware: true, isEnrolled: true, answer: { success: true }, enrolment: 1 },
    permission: 'granted',
    timeZone: 'UTC',
    pushToken,
    platform: 'ios',
    isLocked: false,
  };
}

/** Modules of one launch, with the handles that tell the app what changed. */
export function createDevice(host: EffectHost, disk: Disk, conditions: Conditions) {
  const netInfo = createNetInfo(host, () => conditions.network);
  const appState = createAppState(host, () => conditions.appState);
  const notifications = createNotifications(host, () => conditions, conditions.pushToken);
  const backgroundTask = createBackgroundTask(host);
  // No accessors in this literal: an object with its own would keep its whole launch until the collector's next full round.
  const device: Device = {
    asyncStorage: createAsyncStorage(host, disk),
    mmkv: createMmkv(host, disk),
    netInfo: netInfo.module,
    appState: appState.module,
    battery: createBattery(host, () => conditions.power),
    notifications: notifications.module,
    backgroundTask: backgroundTask.module,
    localization: createLocalization(() => conditions),
    secureStore: createSecureStore(host, disk, () => conditions),
    localAuthentication: createLocalAuthentication(host, () => conditions.biometrics),
    fileSystem: new LaunchFileSystem(host, disk),
    quickCrypto: createQuickCrypto(host),
    ...createSqlite(host, disk),
  };
  return {
    device,
    networkChanged: netInfo.changed,
    appStateChanged: appState.changed,
    notified: notifications.received,
    backgroundTasks: backgroundTask.registered,
    /** Listeners the app has on the phone's modules: zero once it has disposed of all. */
    listenerCount: () => netInfo.listeners.size + appState.listeners.size + notifications.listeners.size,
  };
}
export type LaunchedDevice = ReturnType<typeof createDevice>;
