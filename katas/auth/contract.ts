// What signing in, staying in and signing out are, seen from outside: types only, shared by stub, reference and suite.
import type { Device } from '#phone';

export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** A phone on which somebody is signed in, as the server lists it. Times are ISO text. */
export interface DeviceSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly deviceName: string;
  readonly createdAt: string;
  readonly lastSeenAt: string;
}

/** `restoring` until `start` has ended. */
export type AuthStatus = 'restoring' | 'signedOut' | 'otpRequired' | 'locked' | 'signedIn';

/** What the screen for the code shows. Times are ISO text, by the phone's clock. */
export interface OtpState {
  readonly maskedDestination: string;
  readonly expiresAt: string;
  /** Before that another code cannot be asked for. */
  readonly nextResendAt: string;
  readonly attemptsLeft: number;
}

export interface AuthState {
  readonly status: AuthStatus;
  /** Who it is while `signedIn`, else null. */
  readonly user: User | null;
  /** Signed in by what is stored: the access token has run out, and the server has not been heard. */
  readonly stale: boolean;
  /** Not null while `otpRequired`. */
  readonly otp: OtpState | null;
  /** What keeps the door shut while `locked`. */
  readonly lock: 'biometric' | 'offlineLimit' | null;
  /** Whether this session is behind a face or finger. */
  readonly biometricLock: boolean;
  /** Who ended the last session, while `signedOut`. Not kept over a restart. */
  readonly endedBy: 'user' | 'server' | 'lostSecret' | null;
}

/** Why a call was turned down: the `code` of the `Error` it rejects with. */
export type AuthErrorCode =
  | 'badCredentials'
  | 'badCode'
  | 'flowEnded'
  | 'cooldown'
  | 'tooMany'
  | 'offline'
  | 'network'
  | 'storage'
  | 'locked'
  | 'signedOut'
  | 'sessionChanged'
  | 'disposed';

export interface AuthError extends Error {
  readonly code: AuthErrorCode;
}

/** What a screen does when somebody comes to a protected route. */
export type GuardVerdict = 'wait' | 'allow' | 'unlock' | 'signIn';

export interface AuthOptions {
  readonly device: Device;
  /** Without a slash at its end, such as `https://api.example.com`. */
  readonly apiUrl: string;
}

export interface Auth {
  /** Takes up what is stored. Resolves once the status is not `restoring`. */
  start(): Promise<void>;
  signIn(credentials: Credentials): Promise<void>;
  verifyOtp(code: string): Promise<void>;
  resendOtp(): Promise<void>;
  /** In place of the code by SMS. */
  useBackupCode(code: string): Promise<void>;
  cancelOtp(): Promise<void>;
  /** The door to protected resources. `path` begins with a slash. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Synchronous. Remembers the first route it refused. */
  guard(route: string): GuardVerdict;
  /** The route that was refused, once, when somebody is signed in. */
  takeReturnRoute(): string | null;
  /** Resolves whether it is now as asked. */
  setBiometricLock(on: boolean): Promise<boolean>;
  /** Resolves whether the person is in. */
  unlock(): Promise<boolean>;
  listSessions(): Promise<DeviceSession[]>;
  endSession(sessionId: string): Promise<void>;
  /** Resolves once nothing is left here; the server is told now or later. */
  signOut(): Promise<void>;
  getState(): AuthState;
  /** Calls the listener after each change of the state. Gives the function that ends it. */
  subscribe(listener: () => void): () => void;
  /** Ends what is running. What is stored stays for the next launch. */
  dispose(): void;
}

export type CreateAuth = (options: AuthOptions) => Auth;

/** What an attempt exports. */
export interface AuthModule {
  readonly createAuth: CreateAuth;
}
