import { expect, test } from 'vitest';
import { createDevice, defaultConditions } from './device.ts';
import { Disk } from './disk.ts';
import { CELLULAR, OFFLINE, WIFI } from './net-info.ts';
import { TestHost } from './testing/test-host.ts';

function launch() {
  const conditions = defaultConditions();
  const host = new TestHost({ faults: [], gate: { held: false, waiting: [] } });
  return { conditions, host, ...createDevice(host, new Disk(), conditions) };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('gives a listener of netInfo the present state soon after, then each change', async () => {
  const { conditions, device, networkChanged } = launch();
  const seen: string[] = [];
  device.netInfo.addEventListener(({ type }) => seen.push(type));
  const atOnce = [...seen];

  await settle();
  for (const state of [OFFLINE, CELLULAR]) {
    conditions.network = state;
    networkChanged();
  }

  expect(atOnce).toEqual([]);
  expect(seen).toEqual(['wifi', 'none', 'cellular']);
});

test('never gives an older state after a newer one', async () => {
  const { conditions, device, networkChanged } = launch();
  const seen: string[] = [];
  device.netInfo.addEventListener(({ type }) => seen.push(type));

  conditions.network = OFFLINE;
  networkChanged();
  await settle();

  expect(seen).toEqual(['none', 'none']);
});

test('gives nothing to a listener of netInfo that was removed, even before its first call', async () => {
  const { device, networkChanged, listenerCount } = launch();
  const seen: string[] = [];
  const remove = device.netInfo.addEventListener(({ type }) => seen.push(type));

  remove();
  remove();
  await settle();
  networkChanged();

  expect(seen).toEqual([]);
  expect(listenerCount()).toBe(0);
});

test('tells the state of the network when asked, and whether it is expensive', async () => {
  const { conditions, device } = launch();

  const first = await device.netInfo.fetch();
  conditions.network = CELLULAR;
  const second = await device.netInfo.fetch();

  expect([first, second]).toEqual([WIFI, CELLULAR]);
  expect([first.details?.isConnectionExpensive, second.details?.isConnectionExpensive]).toEqual([false, true]);
});

test('tells the state of the app, at its changes and when asked', () => {
  const { conditions, device, appStateChanged } = launch();
  const seen: string[] = [];
  const subscription = device.appState.addEventListener('change', (state) => seen.push(state));

  conditions.appState = 'background';
  appStateChanged();
  const between = device.appState.currentState;
  subscription.remove();
  conditions.appState = 'active';
  appStateChanged();

  expect([seen, between, device.appState.currentState]).toEqual([['background'], 'background', 'active']);
});

test('counts what an app listens to, over all modules', () => {
  const { device, listenerCount } = launch();
  const listener = () => undefined;

  const remove = device.netInfo.addEventListener(listener);
  device.netInfo.addEventListener(listener);
  device.appState.addEventListener('change', listener);
  const most = listenerCount();
  remove();

  expect([most, listenerCount()]).toEqual([3, 2]);
});

test('tells the charge, the low power mode and both together', async () => {
  const { conditions, device } = launch();
  conditions.power = { batteryLevel: 0.1, batteryState: 'charging', lowPowerMode: true };

  const told = await Promise.all([
    device.battery.getBatteryLevelAsync(),
    device.battery.isLowPowerModeEnabledAsync(),
    device.battery.getPowerStateAsync(),
  ]);

  expect(told).toEqual([0.1, true, { batteryLevel: 0.1, batteryState: 'charging', lowPowerMode: true }]);
});

test('tells a dead app nothing', async () => {
  const { device, host, networkChanged, appStateChanged } = launch();
  const seen: unknown[] = [];
  device.netInfo.addEventListener((state) => seen.push(state));
  device.appState.addEventListener('change', (state) => seen.push(state));
  void device.battery.getBatteryLevelAsync().then((level) => seen.push(level));

  host.kill();
  networkChanged();
  appStateChanged();
  await settle();

  expect(seen).toEqual([]);
});

test('lets a listener remove itself or another while all are called', () => {
  const { device, appStateChanged } = launch();
  const seen: string[] = [];
  const first = device.appState.addEventListener('change', () => {
    seen.push('first');
    first.remove();
    second.remove();
    device.appState.addEventListener('change', () => seen.push('added'));
  });
  const second = device.appState.addEventListener('change', () => seen.push('second'));

  appStateChanged();
  appStateChanged();

  expect(seen).toEqual(['first', 'added']);
});
