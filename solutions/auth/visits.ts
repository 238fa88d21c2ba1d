// Who is in. Every stay is one `Visit`: whoever has waited asks whether it is `stillOn`, and what belongs to one that is over
// changes nothing any more. Owns the visit that is on, what screens see of it, and the route that was refused.
import { createStore } from 'zustand/vanilla';
import type { AuthErrorCode, AuthState, GuardVerdict } from '#contract/auth';
import type { Session } from '#contract/token-refresh';
import { AuthFailure } from './failure.ts';
import type { KeptSession, OtpFlow } from './safe.ts';

/** From the launch, or the beginning of a sign-in, to whatever ends it. */
export class Visit {
  /** Why calls of this visit are turned down; null while it goes on. */
  over: AuthErrorCode | null = null;
  session: Session | null = null;
  kept: KeptSession | null = null;
  /** What is kept lies in the vault. */
  isSealed = false;
  /** A code is asked for. */
  flow: OtpFlow | null = null;
  /** The password or the code that is being tried. */
  entering: Promise<void> | null = null;

  stillOn(): void {
    if (this.over) throw new AuthFailure(this.over);
  }
}

const NOBODY: AuthState = {
  status: 'signedOut',
  user: null,
  stale: false,
  otp: null,
  lock: null,
  biometricLock: false,
  endedBy: null,
};

export type Visits = ReturnType<typeof createVisits>;

export function createVisits() {
  const store = createStore<AuthState>(() => ({ ...NOBODY, status: 'restoring' }));
  const started = Promise.withResolvers<void>();
  const closing = new AbortController();
  let current = new Visit();
  let returnRoute: string | null = null;

  /** The visit that a call belongs to. Calls made while restoring wait. */
  async function ready(): Promise<Visit> {
    await started.promise;
    current.stillOn();
    return current;
  }

  /** Whatever belonged to the visit so far comes too late from here on. */
  function leave(why: AuthErrorCode): Visit {
    current.over = why;
    current.session?.dispose();
    current = new Visit();
    return current;
  }

  // Every change of the state is one of those from here to `end`.
  function show(change: Partial<AuthState>): void {
    store.setState({ ...NOBODY, biometricLock: current.isSealed, ...change });
  }

  function letIn(own: Visit, isFresh: boolean): void {
    own.stillOn();
    own.flow = null;
    show({ status: 'signedIn', user: own.kept?.user ?? null, stale: !isFresh });
  }

  function askForCode(own: Visit, flow: OtpFlow): void {
    own.stillOn();
    own.flow = flow;
    const { otpFlowId: _, ...otp } = flow;
    show({ status: 'otpRequired', otp });
  }

  const lock = (by: AuthState['lock']): void => show({ status: 'locked', lock: by });
  const markLock = (): void => store.setState({ biometricLock: current.isSealed });

  function end(own: Visit, why: AuthErrorCode, endedBy: AuthState['endedBy'] = null): void {
    own.stillOn();
    leave(why);
    show({ endedBy });
  }

  function guard(route: string): GuardVerdict {
    const { status } = store.getState();
    if (status === 'restoring') return 'wait';
    if (status === 'signedIn') return 'allow';
    returnRoute ??= route;
    return status === 'locked' ? 'unlock' : 'signIn';
  }

  function takeReturnRoute(): string | null {
    const route = store.getState().status === 'signedIn' ? returnRoute : null;
    if (route !== null) forgetReturnRoute();
    return route;
  }

  function forgetReturnRoute(): void {
    returnRoute = null;
  }

  /** Lets nobody in any more, and lets those go who wait. */
  function close(): void {
    current.over ??= 'disposed';
    closing.abort(new AuthFailure('disposed'));
    current.session?.dispose();
    started.resolve();
  }

  return {
    current: () => current,
    ready,
    open: started.resolve,
    leave,
    letIn,
    askForCode,
    lock,
    markLock,
    end,
    getState: store.getState,
    subscribe: (listener: () => void) => store.subscribe(() => listener()),
    guard,
    takeReturnRoute,
    forgetReturnRoute,
    close,
    closing: closing.signal,
  };
}
