import type { EffectHost } from './host.ts';

export interface PowerState {
  /** Charge, 0 to 1. */
  readonly batteryLevel: number;
  readonly batteryState: 'unplugged' | 'charging' | 'full';
  readonly lowPowerMode: boolean;
}

/** Structural subset of `expo-battery`. */
export interface Battery {
  getBatteryLevelAsync(): Promise<number>;
  isLowPowerModeEnabledAsync(): Promise<boolean>;
  getPowerStateAsync(): Promise<PowerState>;
}

export function createBattery(host: EffectHost, current: () => PowerState): Battery {
  const ask = <T>(call: string, read: (state: PowerState) => T) =>
    host.perform({ target: 'battery', call: `battery.${call}`, detail: '' }, () => read(current()));
  return {
    getBatteryLevelAsync: () => ask('getBatteryLevelAsync', (state) => state.batteryLevel),
    isLowPowerModeEnabledAsync: () => ask('isLowPowerModeEnabledAsync', (state) => state.lowPowerMode),
    getPowerStateAsync: () => ask('getPowerStateAsync', (state) => state),
  };
}
