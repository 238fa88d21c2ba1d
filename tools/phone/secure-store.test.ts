import { expect, test } from 'vitest';
import { createTestBench, ending } from './testing/launch-device.ts';

const GUARDED = { requireAuthentication: true };

test('prompts at each read of an item that requires authentication, and at no write', async () => {
  const { device, seen } = createTestBench();
  await device.secureStore.setItemAsync('key', 'secret', GUARDED);
  await device.secureStore.setItemAsync('key', 'newer', GUARDED);
  const afterWriting = seen.prompts;

  const read = [await device.secureStore.getItemAsync('key'), await device.secureStore.getItemAsync('key')];

  expect([afterWriting, read, seen.prompts]).toEqual([0, ['newer', 'newer'], 2]);
});

test.each([
  ['user_cancel', 'User canceled the operation.'],
  ['lockout', 'Biometry is locked out.'],
  ['authentication_failed', 'Authentication failed.'],
] as const)('rejects a guarded read that ends with %s, and keeps the item', async (error, message) => {
  const { conditions, device } = createTestBench();
  await device.secureStore.setItemAsync('key', 'secret', GUARDED);
  conditions.biometrics.answer = { success: false, error };

  const heard = await ending(device.secureStore.getItemAsync('key'));
  conditions.biometrics.answer = { success: true };

  expect(heard).toContain(message);
  expect(await device.secureStore.getItemAsync('key')).toBe('secret');
});

test('loses guarded items for good when another face is enrolled, without a prompt, and keeps all others', async () => {
  const { conditions, device, disk, seen } = createTestBench();
  await device.secureStore.setItemAsync('guarded', 'secret', GUARDED);
  await device.secureStore.setItemAsync('plain', 'token');

  conditions.biometrics.enrolment += 1;
  const read = [await device.secureStore.getItemAsync('guarded'), await device.secureStore.getItemAsync('plain')];
  conditions.biometrics.enrolment -= 1;

  expect([read, await device.secureStore.getItemAsync('guarded')]).toEqual([[null, 'token'], null]);
  expect([seen.prompts, disk.secureStore.keys()]).toEqual([0, ['plain']]);
});

test('writes no guarded item where no face is enrolled', async () => {
  const { conditions, device, disk } = createTestBench();
  conditions.biometrics.isEnrolled = false;

  const heard = await ending(device.secureStore.setItemAsync('key', 'secret', GUARDED));

  expect([heard, device.secureStore.canUseBiometricAuthentication()]).toEqual([
    expect.stringContaining('no face or finger is enrolled'),
    false,
  ]);
  expect(disk.secureStore.keys()).toEqual([]);
});

test('refuses a value of more than 2,048 bytes, and keeps the old one', async () => {
  const { device, disk } = createTestBench();
  await device.secureStore.setItemAsync('key', 'x'.repeat(2_048));

  const heard = await ending(device.secureStore.setItemAsync('key', 'ö'.repeat(1_025)));

  expect(heard).toContain('has 2050 bytes; at most 2048');
  expect(disk.secureStore.get('key')).toBe('x'.repeat(2_048));
});

test('reads nothing while the screen is locked but what allows it', async () => {
  const { conditions, device } = createTestBench();
  const { secureStore } = device;
  await secureStore.setItemAsync('usual', 'a');
  await secureStore.setItemAsync('early', 'b', { keychainAccessible: secureStore.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY });
  conditions.isLocked = true;

  const read = [await ending(secureStore.getItemAsync('usual')), await secureStore.getItemAsync('early')];
  conditions.isLocked = false;

  expect(read).toEqual([expect.stringContaining('User interaction is not allowed.'), 'b']);
  expect(await secureStore.getItemAsync('usual')).toBe('a');
});

test('keeps the items of a service apart', async () => {
  const { device } = createTestBench();
  await device.secureStore.setItemAsync('key', 'one', { keychainService: 'vault' });

  expect(await device.secureStore.getItemAsync('key')).toBeNull();
  expect(await device.secureStore.getItemAsync('key', { keychainService: 'vault' })).toBe('one');
});

test('tells a test under which rules an item lies', async () => {
  const { device, disk } = createTestBench();
  const keychainAccessible = device.secureStore.WHEN_UNLOCKED_THIS_DEVICE_ONLY;
  await device.secureStore.setItemAsync('key', 'secret', { ...GUARDED, keychainAccessible });

  expect(disk.secureStore.rulesOf('key')).toEqual({ requireAuthentication: true, keychainAccessible, enrolment: 1 });
});

test.each([
  ['ios', ['token']],
  ['android', []],
] as const)('keeps on %s of a keychain what outlives an uninstall, and nothing else', async (platform, kept) => {
  const { device, disk } = createTestBench();
  const { File, Paths } = device.fileSystem;
  await device.secureStore.setItemAsync('token', 'secret');
  await device.asyncStorage.setItem('a', '1');
  device.mmkv.set('a', 1);
  await new File(Paths.document, 'a').write('1');
  await (await device.openDatabaseAsync('a.db')).execAsync("CREATE TABLE t (v); INSERT INTO t VALUES ('1')");

  disk.reinstalled(platform);

  expect(disk.entries().map(({ key }) => key)).toEqual(kept);
});
