// What a session is, seen from outside: types only, shared by stub, reference and suite.
import type { Device } from '#phone';

/** What the server gives at a sign-in and at each refresh. */
export interface Tokens {
  /** Sent with every request. Opaque to the phone. */
  readonly accessToken: string;
  /** Good for one refresh. */
  readonly refreshToken: string;
  /** How long the access token lasts from the moment it is received, in seconds. */
  readonly expiresIn: number;
}

/** `unknown` until `start` has read the keychain. */
export type SessionStatus = 'unknown' | 'signed-in' | 'signed-out';

export interface SessionState {
  readonly status: SessionStatus;
  /** Who is signed in; null when nobody is, or nobody knows yet. */
  readonly userId: string | null;
  /** Why nobody is signed in any more: a person wanted it, or the server said so. Not kept over a restart. */
  readonly reason: null | 'user' | 'session-ended';
}

/** Why a call was turned down: the `code` of the `Error` it rejects with. */
export type SessionErrorCode = 'signed-out' | 'refresh-unavailable' | 'network' | 'storage-failed' | 'disposed';

export interface SessionError extends Error {
  readonly code: SessionErrorCode;
}

/** Trades a refresh token for a new pair. `ended`: the server says that the session is over. Rejects for all else. */
export type RefreshTokens = (refreshToken: string, signal: AbortSignal) => Promise<Tokens | 'ended'>;

export interface SessionOptions {
  readonly device: Device;
  /** Without a slash at its end, such as `https://api.example.com`. */
  readonly apiUrl: string;
  /** Replaces `POST /auth/refresh`, for servers with another wire format. */
  readonly refresh?: RefreshTokens;
}

export interface Session {
  /** Reads the stored session. Sends nothing. */
  start(): Promise<void>;
  /** Takes over what a login screen got from the server. Resolves once it is stored. */
  adopt(tokens: Tokens & { readonly userId: string }): Promise<void>;
  /** Like the global one, plus the token. Other patterns take it as their `fetch`. */
  readonly fetch: typeof fetch;
  /** A token that lasts for a while, for sockets and channels. */
  getAccessToken(): Promise<string>;
  /** Resolves once the session is no longer stored; the server is told afterwards. */
  signOut(): Promise<void>;
  getState(): SessionState;
  /** Calls the listener after each change of the state. Gives the function that ends it. */
  subscribe(listener: () => void): () => void;
  /** Ends what is running. What is stored stays for the next launch. */
  dispose(): void;
}

export type CreateSession = (options: SessionOptions) => Session;

/** What an attempt exports. */
export interface TokenRefreshModule {
  readonly createSession: CreateSession;
}
