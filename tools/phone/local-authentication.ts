import type { EffectHost } from './host.ts';

export type LocalAuthenticationResult =
  | { readonly success: true }
  | {
      readonly success: false;
      readonly error: 'user_cancel' | 'system_cancel' | 'lockout' | 'not_enrolled' | 'authentication_failed';
    };

/** Structural subset of `expo-local-authentication`. A person's "no" is an answer, not a rejection. */
export interface LocalAuthentication {
  hasHardwareAsync(): Promise<boolean>;
  isEnrolledAsync(): Promise<boolean>;
  authenticateAsync(options?: { readonly promptMessage?: string }): Promise<LocalAuthenticationResult>;
}

/** What the phone's sensor would do. */
export interface Biometrics {
  hasHardware: boolean;
  isEnrolled: boolean;
  /** What the next prompts end with. */
  answer: LocalAuthenticationResult;
  /** Rises when a face or finger is enrolled: items bound to the earlier ones are lost. */
  enrolment: number;
}

const refusal = (error: 'user_cancel' | 'system_cancel' | 'lockout' | 'authentication_failed') => () => ({
  success: false as const,
  error,
});

export function createLocalAuthentication(host: EffectHost, current: () => Biometrics): LocalAuthentication {
  const ask = <T>(call: string, read: (biometrics: Biometrics) => T) =>
    host.perform({ target: 'localAuthentication.query', call: `localAuthentication.${call}`, detail: '' }, () =>
      read(current()),
    );
  return {
    hasHardwareAsync: () => ask('hasHardwareAsync', ({ hasHardware }) => hasHardware),
    isEnrolledAsync: () => ask('isEnrolledAsync', ({ hasHardware, isEnrolled }) => hasHardware && isEnrolled),
    authenticateAsync: () =>
      host.perform<LocalAuthenticationResult>(
        {
          target: 'localAuthentication',
          call: 'localAuthentication.authenticateAsync',
          detail: '',
          answers: {
            'user-cancel': refusal('user_cancel'),
            'system-cancel': refusal('system_cancel'),
            lockout: refusal('lockout'),
            'not-recognised': refusal('authentication_failed'),
          },
        },
        () => {
          const { hasHardware, isEnrolled, answer } = current();
          return hasHardware && isEnrolled ? answer : { success: false, error: 'not_enrolled' };
        },
      ),
  };
}
