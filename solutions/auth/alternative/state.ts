// The state: every change there is.
import type { AuthState, OtpState, User } from '#contract/auth';

export type Happening =
  | { readonly type: 'in'; readonly user: User; readonly isStale: boolean; readonly isSealed: boolean }
  | { readonly type: 'asked'; readonly otp: OtpState }
  | { readonly type: 'shut'; readonly lock: 'biometric' | 'offlineLimit'; readonly isSealed: boolean }
  | { readonly type: 'out'; readonly endedBy: AuthState['endedBy'] }
  | { readonly type: 'sealed'; readonly isSealed: boolean }
  | { readonly type: 'unheard' };

export const OUT: AuthState = {
  status: 'signedOut',
  user: null,
  stale: false,
  otp: null,
  lock: null,
  biometricLock: false,
  endedBy: null,
};

export function reduce(state: AuthState, event: Happening): AuthState {
  switch (event.type) {
    case 'in':
      return { ...OUT, status: 'signedIn', user: event.user, stale: event.isStale, biometricLock: event.isSealed };
    case 'asked':
      return { ...OUT, status: 'otpRequired', otp: event.otp };
    case 'shut':
      return { ...OUT, status: 'locked', lock: event.lock, biometricLock: event.isSealed };
    case 'out':
      return { ...OUT, endedBy: event.endedBy };
    case 'sealed':
      return { ...state, biometricLock: event.isSealed };
    case 'unheard':
      return state.status === 'signedIn' ? { ...state, stale: true } : state;
  }
}
