// `#phone`: what a contract, a stub, an attempt or a reference may know of the phone. Types only.
export type { AppState, AppStateStatus } from './app-state.ts';
export type { AsyncStorage } from './async-storage.ts';
export type { BackgroundTask } from './background-task.ts';
export type { Battery, PowerState } from './battery.ts';
export type { Device } from './device.ts';
export type { FileHandle } from './file-handle.ts';
export type { Directory, File, FileDigestAlgorithm, FileSystem } from './file-system.ts';
export type { UploadOptions, UploadResult, UploadTask } from './file-upload.ts';
export type { LocalAuthentication, LocalAuthenticationResult } from './local-authentication.ts';
export type { Localization } from './localization.ts';
export type { Mmkv } from './mmkv.ts';
export type { NetInfo, NetInfoState } from './net-info.ts';
export type { Notification, Notifications } from './notifications.ts';
export type { Cipher, CipherGCM, DecipherGCM, Hash, QuickCrypto } from './quick-crypto.ts';
export type { SecureStore, SecureStoreOptions } from './secure-store.ts';
export type {
  SQLiteBindParams,
  SQLiteBindValue,
  SQLiteDatabase,
  SQLiteOpenOptions,
  SQLiteRunResult,
} from './sqlite.ts';
