// The way out: decided by one write, told to the server when it can be. Owns the debts.
import { createSerialQueue } from '#solutions/token-refresh';
import type { Safe } from './safe.ts';
import type { Server } from './server.ts';
import type { Visits } from './visits.ts';

export function createSignOut(visits: Visits, safe: Safe, server: Server) {
  const inTurn = createSerialQueue();

  async function signOut(): Promise<void> {
    const own = await visits.ready();
    visits.forgetReturnRoute();
    const { status } = visits.getState();
    if (status === 'signedOut' && !own.entering) return;
    try {
      await safe.clear(own, own.kept ? [own.kept.refreshToken] : []);
      const endedBy = status === 'signedIn' || status === 'locked' ? 'user' : null;
      visits.end(own, status === 'otpRequired' ? 'flowEnded' : 'sessionChanged', endedBy);
    } catch (error) {
      if (!own.over) throw error;
      // Somebody else was faster. If that was the lock, the person still wants to leave.
      return signOut();
    }
    payDebts();
  }

  async function cancelOtp(): Promise<void> {
    await visits.ready();
    if (visits.getState().status === 'otpRequired') await signOut();
  }

  /** Each occasion gets its turn, since the payment before it may have met a dead line. */
  function payDebts(): void {
    inTurn(pay).catch(() => undefined);
  }

  async function pay(): Promise<void> {
    for (const refreshToken of safe.owed()) {
      const { status } = await server.post('/auth/logout', { refreshToken }, server.keyOf(`logout ${refreshToken}`));
      if (status === 204) await safe.settle(visits.current(), refreshToken);
    }
  }

  return { signOut, cancelOtp, payDebts };
}
