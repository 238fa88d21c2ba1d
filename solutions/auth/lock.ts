// The lock: not a question put before the secret, but the secret itself behind the question. Owns the prompts.
import type { Vault } from '#contract/secure-storage';
import type { Device } from '#phone';
import { singleFlight } from '#solutions/token-refresh';
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

  /** Where no face is enrolled some phones ask for the passcode instead: that is not what the vault opens for. */
  async function isRecognised(): Promise<boolean> {
    if (!(await localAuthentication.hasHardwareAsync()) || !(await localAuthentication.isEnrolledAsync())) return false;
    return (await localAuthentication.authenticateAsync({ promptMessage: 'Lock the app with your face' })).success;
  }

  /** The vault is the one that locks. Here it is only heard: two measurements of the time away could disagree. */
  const listen = () =>
    vault.subscribe(() => {
      if (vault.getState().status === 'locked' && safe.isSealed()) shut();
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
    if (lock === 'biometric') await openVault(own).catch(() => undefined);
    visits.current().stillOn();
    return visits.getState().status === 'signedIn';
  });

  async function openVault(own: Visit): Promise<void> {
    const kept = await safe.readSealed();
    own.stillOn();
    if (kept) return sessions.takeUp(own, kept);
    await safe.clear(own).catch(() => undefined);
    visits.end(own, 'signedOut', 'lostSecret');
  }

  return { setBiometricLock, unlock, listen };
}
