import { expect, test } from 'vitest';
import { createDevice, defaultConditions } from './device.ts';
import { Disk } from './disk.ts';
import { CELLULAR, OFFLINE, WIFI } from './net-info.ts';
import { TestHost } from './testing/test-host.ts';

function launch() {
  const conditions = defaultConditions();
  const host = new TestHost({ faults: [], gate: { held: false, waiting: [] } });
  const disk = new Disk();
  return { conditions, disk, host, ...createDevice(host, disk, conditions) };
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

test('keeps secrets in a store of their own, over a kill', async () => {
  const { disk, device, host } = launch();
  await device.secureStore.setItemAsync('token', 'secret');
  await device.asyncStorage.clear();
  host.kill();

  expect(disk.entries()).toEqual([{ module: 'secureStore', key: 'token', value: 'secret' }]);
});

test('gives a secret back, and null once it is gone', async () => {
  const { device } = launch();
  await device.secureStore.setItemAsync('token', 'secret');

  const before = await device.secureStore.getItemAsync('token');
  await device.secureStore.deleteItemAsync('token');

  expect([before, await device.secureStore.getItemAsync('token')]).toEqual(['secret', null]);
});

test('rejects a key that the keychain does not take, and a value that is no text', async () => {
  const { device, disk } = launch();

  await expect(device.secureStore.setItemAsync('a key', 'x')).rejects.toThrow('Invalid key provided to SecureStore');
  await expect(device.secureStore.getItemAsync('')).rejects.toThrow('Invalid key provided to SecureStore');
  await expect(device.secureStore.setItemAsync('key', 7 as unknown as string)).rejects.toThrow(TypeError);

  expect(disk.entries()).toEqual([]);
});

test('answers a prompt as the person does, and says when no face is enrolled', async () => {
  const { conditions, device } = launch();
  const first = await device.localAuthentication.authenticateAsync();
  conditions.biometrics = { ...conditions.biometrics, answer: { success: false, error: 'user_cancel' } };
  const second = await device.localAuthentication.authenticateAsync();
  conditions.biometrics = { ...conditions.biometrics, isEnrolled: false };
  const third = await device.localAuthentication.authenticateAsync();

  expect([first, second, third]).toEqual([
    { success: true },
    { success: false, error: 'user_cancel' },
    { success: false, error: 'not_enrolled' },
  ]);
  expect(await device.localAuthentication.isEnrolledAsync()).toBe(false);
});

test('gives each push to who listens, until removed, and counts that listener', async () => {
  const { device, notified, listenerCount } = launch();
  const content = { title: null, body: null, data: { id: 1 } };
  const seen: string[] = [];
  const subscription = device.notifications.addNotificationReceivedListener(({ request }) =>
    seen.push(request.identifier),
  );

  notified({ date: 0, request: { identifier: 'push-1', content } });
  const counted = listenerCount();
  subscription.remove();
  notified({ date: 0, request: { identifier: 'push-2', content } });

  expect([seen, counted, listenerCount()]).toEqual([['push-1'], 1, 0]);
});

test('registers a background task once it is defined, for a quarter of an hour at least', async () => {
  const { device, backgroundTasks } = launch();
  const register = () => device.backgroundTask.registerTaskAsync('sync', { minimumInterval: 1 });

  await expect(register()).rejects.toThrow('Task "sync" is not defined');
  device.backgroundTask.defineTask('sync', async () => undefined);
  await register();
  const registered = backgroundTasks().map(({ name, minimumIntervalMs }) => [name, minimumIntervalMs]);
  await device.backgroundTask.unregisterTaskAsync('sync');

  expect(registered).toEqual([['sync', 900_000]]);
  expect(backgroundTasks()).toEqual([]);
});

test('tells the zone of the phone', () => {
  const { conditions, device } = launch();
  conditions.timeZone = 'Europe/Berlin';

  expect(device.localization.getCalendars()[0]?.timeZone).toBe('Europe/Berlin');
});
