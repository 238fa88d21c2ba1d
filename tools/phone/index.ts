// `#phone`: what a contract, a stub, an attempt or a reference may know of the phone. Types only.
export type { AppState, AppStateStatus } from './app-state.ts';
export type { AsyncStorage } from './async-storage.ts';
export type { Battery, PowerState } from './battery.ts';
export type { Device } from './device.ts';
export type { Mmkv } from './mmkv.ts';
export type { NetInfo, NetInfoState } from './net-info.ts';
