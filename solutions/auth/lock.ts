// The lock: not a question put before the secret, but the secret itself behind the question. Owns the prompts.
import type { Vault } from '#contract/secure-storage';
import type { Device } from '#phone';
import { isObject, singleFlight } from '#solutions/token-refresh';
import type { Safe } from './safe.ts';
import type { Sessions } from './sessions.ts';
import type { Visit, Visits } from './visits.ts';

export function createLock(device: Device, vault: Vault, visits: Visits, safe: Safe, sessions: Sessions) {
  const { localAuthentication } = device;

  async function setBiometricLock(on: boolean): Promise<boolean> {
    const own = await visits.ready();
    if (visits.getState().status !== 'signedIn') return false;
    if (own.isSealed === on) return true;
    if (on && !(await isRecognised())) return false;
    try {
      await (on ? safe.seal(own) : safe.unseal(own));
    } catch {
      return false;
    }
    visits.markLock();
    // The app may have been away meanwhile.
    if (on && vault.getState().status === 'locked') shut();
    return true;
  }

  async function isRecognised(): Promise<boolean> {
    if (!(await localAuthentication.hasHardwareAsync()) || !(await localAuthentication.isEnrolledAsync())) return false;
    return (await localAuthentication.authenticateAsync({ promptMessage: 'Lock the app with your face' })).success;
  }

  /** The vault is the one that locks. Here it is only heard: two measurements of the time away could disagree. */
  const listen = () =>
    vault.subscribe(() => {
      if (vault.getState().status === 'locked' && safe.isSealed() && visits.current().session) shut();
    });

  /** All that the visit knew goes with it. */
  function shut(): void {
    visits.leave('locked').isSealed = true;
    visits.lock('biometric');
  }

  const unlock = singleFlight(async () => {
    const own = await visits.ready();
    const { lock } = visits.getState();
    if (lock === 'offlineLimit') await sessions.decide(own);
    if (lock === 'biometric') await openVault(own);
    return visits.getState().status === 'signedIn';
  });

  async function openVault(own: Visit): Promise<void> {
    try {
      const kept = await safe.readSealed();
      own.stillOn();
      if (kept) await sessions.takeUp(own, kept);
      else await loseSecret(own);
    } catch (error) {
      const isLost = isObject(error) && (error.code === 'key-lost' || error.code === 'corrupt');
      if (isLost) await loseSecret(own);
      // A prompt that was answered counts once: the next try asks again.
      else if (!own.session) vault.lock();
    }
  }

  async function loseSecret(own: Visit): Promise<void> {
    await safe.clear(own).catch(() => undefined);
    if (!own.over) visits.end(own, 'signedOut', 'lostSecret');
  }

  return { setBiometricLock, unlock, listen };
}
