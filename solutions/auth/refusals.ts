// Why a call is turned down: the contract's codes, with a sentence for people who read logs.
import type { AuthErrorCode } from '#contract/auth';
import { CodedError } from '#solutions/offline-queue';

const WORDS: Readonly<Record<AuthErrorCode, string>> = {
  badCredentials: 'The address or the password is wrong. Try again.',
  badCode: 'The code is wrong. Look at the message again.',
  flowEnded: 'This code is no longer asked for. Sign in again.',
  cooldown: 'A code was sent a moment ago. Wait before you ask for another.',
  tooMany: 'There were too many attempts. Wait a while.',
  offline: 'The phone is offline. Try again with a network.',
  network: 'The server could not be reached. Try again later.',
  storage: 'The phone could not store this. Try again.',
  locked: 'The app is locked. Unlock it first.',
  signedOut: 'Nobody is signed in. Show the login screen.',
  sessionChanged: 'The session that this call was made in is over.',
  disposed: 'This was disposed. Create a new one.',
};

export const refusal = (code: AuthErrorCode, cause?: unknown) => new CodedError(code, WORDS[code], cause);

/** For a `catch`. What has a word of ours already keeps it. */
export const failAs = (code: AuthErrorCode) => (cause: unknown) => {
  throw cause instanceof CodedError ? cause : refusal(code, cause);
};
