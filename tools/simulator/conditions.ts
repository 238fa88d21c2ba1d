// What can befall a phone or the server for a while: offline, background, kill, a wrong clock, an outage.
import { befallDevice, DEVICE_CONDITION_NAMES, deviceConditionWords, isDeviceCondition } from './device-conditions.ts';
import type { Step } from './plan.ts';
import type { Conditions } from './scenario.ts';
import type { World } from './world.ts';

/** Names a plan's step may have beside the scenario's actions. */
export const CONDITION_NAMES = [
  'offline',
  'background',
  'kill',
  'clock',
  'outage',
  'handover',
  'flap',
  ...DEVICE_CONDITION_NAMES,
] as const satisfies readonly (keyof Conditions)[];
export type ConditionName = (typeof CONDITION_NAMES)[number];

export const isCondition = (name: string): name is ConditionName =>
  (CONDITION_NAMES as readonly string[]).includes(name);

const FLAPS = 6;

/** Starts a condition; it ends by itself after its time, or when the world heals. */
export function befall(world: World, step: Step): void {
  const phone = world.phones[step.phone % world.phones.length];
  if (!phone || !isCondition(step.do)) return;
  const ms = Number(step.args.ms);
  const later = (delayMs: number, run: () => void) => world.clockwork.after(delayMs, run, () => !world.isHealed);
  const offlineFor = (durationMs: number) => {
    phone.goOffline();
    later(durationMs, () => phone.goOnline());
  };
  if (isDeviceCondition(step.do)) {
    befallDevice(phone, step.do, ms, later);
    return;
  }
  switch (step.do) {
    case 'offline':
      offlineFor(ms);
      break;
    case 'flap':
      for (let n = 0; n < FLAPS; n += 1) later(2 * n * ms, () => offlineFor(ms));
      break;
    case 'background':
      later(ms, phone.goToBackground());
      break;
    case 'kill':
      if (!phone.launch) break;
      phone.kill('by the OS', false);
      later(ms, () => phone.startIfDead());
      break;
    case 'clock':
      phone.skewMs += ms;
      world.emit({ atMs: world.nowMs, phone: phone.index, kind: 'clock', byMs: ms });
      break;
    case 'outage':
      world.outages += 1;
      world.usedSockets?.serverDown();
      later(ms, () => {
        world.outages -= 1;
      });
      break;
    case 'handover':
      phone.goToMobileData();
      later(ms, () => phone.leaveMobileData());
      break;
  }
}

/** A condition as a story tells it. */
export function conditionWords(step: Step): string {
  const span = spanWords(Math.abs(Number(step.args.ms)));
  const name = step.do as ConditionName;
  if (isDeviceCondition(name)) return deviceConditionWords(name, span);
  switch (name) {
    case 'offline':
      return `the phone is offline for ${span}`;
    case 'flap':
      return `the connection comes and goes every ${span}`;
    case 'background':
      return `the app is in the background for ${span}`;
    case 'kill':
      return `the OS kills the app; it is opened again after ${span}`;
    case 'clock':
      return `the phone's clock jumps ${Number(step.args.ms) < 0 ? 'back' : 'forward'} by ${span}`;
    case 'outage':
      return `the server is down for ${span}`;
    case 'handover':
      return `the phone is on mobile data for ${span}`;
  }
}

/** A length of time as a person says it. */
export function spanWords(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${trim(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${trim(ms / 60_000)} min`;
  return `${trim(ms / 3_600_000)} h`;
}

const trim = (value: number): string => String(Math.round(value * 10) / 10);
