// The reference. Two patterns do the hard parts: '#solutions/token-refresh' renews and repeats, '#solutions/secure-storage'
// keeps what only the owner may open. Here it is decided who is in. Each part owns one thing:
//
//   visits    who is in: one visit at a time, and the state that screens see
//   safe      what is stored: one keychain value, so that each step is one write
//   server    what the auth service is asked, and what its answers mean
//   sessions  being signed in: the session pattern on our safe, its door, and the 72 hours without the server
//   lock      the prompt before the vault that the session then lies in
//   sign-in   password and code: makes a visit, and opens a session in it
//   sign-out  ends a visit, and owes the server the news
//
// This file puts them together, takes up at a launch what the safe holds, and passes on what the phone tells.
import type { CreateAuth } from '#contract/auth';
import { createVault } from '#solutions/secure-storage';
import { singleFlight } from '#solutions/token-refresh';
import { createLock } from './lock.ts';
import { createSafe, type Secrets } from './safe.ts';
import { createServer } from './server.ts';
import { createSessions } from './sessions.ts';
import { createSignIn } from './sign-in.ts';
import { createSignOut } from './sign-out.ts';
import { createVisits, type Visit } from './visits.ts';

const LOCK_AFTER_MS = 300_000;

export const createAuth: CreateAuth = ({ device, apiUrl }) => {
  const { netInfo, appState } = device;
  const visits = createVisits();
  const vault = createVault({ device, namespace: 'auth', lockAfterMs: LOCK_AFTER_MS });
  const safe = createSafe(device, vault);
  const server = createServer(device, apiUrl, visits.closing);
  const sessions = createSessions(device, apiUrl, visits, safe, server);
  const lock = createLock(device, vault, visits, safe, sessions);
  const { signOut, cancelOtp, payDebts } = createSignOut(visits, safe, server);
  const entry = createSignIn(visits, safe, server, sessions, signOut);

  /** May be called again when it has failed. */
  const start = singleFlight(async () => {
    const own = visits.current();
    own.stillOn();
    if (visits.getState().status !== 'restoring') return;
    const stored = await safe.load();
    own.stillOn();
    listen();
    await takeUp(own, stored);
    visits.current().stillOn();
    visits.open();
    payDebts();
  });

  async function takeUp(own: Visit, { session, isSealed, flow }: Secrets): Promise<void> {
    own.isSealed = isSealed;
    if (isSealed) visits.lock('biometric');
    else if (session) await sessions.takeUp(own, session);
    else if (flow) visits.askForCode(own, flow);
    else visits.end(own, 'signedOut');
  }

  function listen(): void {
    let wasOffline = false;
    const stopNetwork = netInfo.addEventListener(({ isConnected }) => {
      if (wasOffline && isConnected) occasion(sessions.backOnline);
      wasOffline = !isConnected;
    });
    const foreground = appState.addEventListener('change', (next) => {
      if (next === 'active') occasion(sessions.backInFront);
    });
    const stopLock = lock.listen();
    visits.closing.addEventListener('abort', () => {
      stopNetwork();
      foreground.remove();
      stopLock();
    });
  }

  /** When the network or the person is back: a reason to hope, for debts too. */
  function occasion(mend: () => void): void {
    payDebts();
    mend();
  }

  function dispose(): void {
    visits.close();
    vault.dispose();
  }

  return {
    start,
    ...entry,
    cancelOtp,
    fetch: sessions.fetch,
    listSessions: sessions.listSessions,
    endSession: sessions.endSession,
    guard: visits.guard,
    takeReturnRoute: visits.takeReturnRoute,
    setBiometricLock: lock.setBiometricLock,
    unlock: lock.unlock,
    signOut,
    getState: visits.getState,
    subscribe: visits.subscribe,
    dispose,
  };
};
