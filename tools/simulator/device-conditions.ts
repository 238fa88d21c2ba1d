// What can befall what a phone keeps: an uninstall, a new face, a locked screen, a full disk, a cleared cache.
import { CACHE_URI } from '../phone/file-tree.ts';
import type { SimulatedPhone } from './simulated-phone.ts';
import type { DeviceCondition } from './trace.ts';

/** Names a plan's step may have: conditions of one phone's disk, keychain and screen. */
export const DEVICE_CONDITION_NAMES = [
  'reinstall',
  'enrolment',
  'keychainLost',
  'screenLock',
  'lowDisk',
  'cacheCleared',
] as const;
export type DeviceConditionName = (typeof DEVICE_CONDITION_NAMES)[number];

export const isDeviceCondition = (name: string): name is DeviceConditionName =>
  (DEVICE_CONDITION_NAMES as readonly string[]).includes(name);

/** Starts a condition. `later` runs what ends it, unless the world has healed by then. */
export function befallDevice(
  phone: SimulatedPhone,
  name: DeviceConditionName,
  ms: number,
  later: (delayMs: number, run: () => void) => void,
): void {
  switch (name) {
    case 'reinstall':
      reinstall(phone);
      later(ms, () => phone.startIfDead());
      break;
    case 'enrolment':
      phone.conditions.biometrics.enrolment += 1;
      tell(phone, 'enrolled');
      break;
    case 'keychainLost':
      phone.disk.secureStore.clear();
      tell(phone, 'keychain-lost');
      break;
    case 'screenLock':
      later(ms, lockScreen(phone));
      break;
    case 'lowDisk':
      later(ms, fillDisk(phone));
      break;
    case 'cacheCleared':
      phone.disk.files.remove(CACHE_URI);
      tell(phone, 'cache-cleared');
      break;
  }
}

/** A condition as a story tells it. */
export function deviceConditionWords(name: DeviceConditionName, span: string): string {
  const words = {
    reinstall: `the app is removed, installed anew, and opened after ${span}`,
    enrolment: 'another face or finger is enrolled',
    keychainLost: 'the phone loses all that is in its keychain',
    screenLock: `the screen is locked for ${span}`,
    lowDisk: `the phone's disk is full for ${span}`,
    cacheCleared: "the OS clears the app's cache",
  };
  return words[name];
}

function tell(phone: SimulatedPhone, condition: DeviceCondition): void {
  phone.world.emit({ atMs: phone.world.nowMs, phone: phone.index, kind: 'condition', condition });
}

function reinstall(phone: SimulatedPhone): void {
  phone.kill('as it was removed', false);
  phone.disk.reinstalled(phone.conditions.platform);
  phone.installs += 1;
  tell(phone, 'reinstalled');
}

/** Gives what unlocks it. The person comes back to the app. */
function lockScreen(phone: SimulatedPhone): () => void {
  const comeBack = phone.goToBackground();
  return phone.during('screenLock', {
    begin: () => {
      phone.conditions.isLocked = true;
      tell(phone, 'locked');
    },
    end: () => {
      phone.conditions.isLocked = false;
      tell(phone, 'unlocked');
    },
    each: comeBack,
  });
}

/** Gives what makes room again. What is removed meanwhile makes room at once. */
function fillDisk(phone: SimulatedPhone): () => void {
  let takenBytes = 0;
  return phone.during('lowDisk', {
    begin: () => {
      takenBytes = phone.disk.freeBytes;
      phone.disk.freeBytes = 0;
      tell(phone, 'disk-full');
    },
    end: () => {
      phone.disk.freeBytes += takenBytes;
      tell(phone, 'disk-free');
    },
  });
}
