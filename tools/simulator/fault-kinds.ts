// Every fault there is: what it strikes, and how a story tells it.

/** Kinds that strike a request. */
export const REQUEST_FAULTS = {
  delay: 'was slow',
  duplicate: 'arrived twice',
  'response-lost': 'took effect, but its answer was lost',
  'request-lost': 'never reached the server',
  hang: 'got no answer at all for a minute',
  truncate: 'was answered with half a body',
  portal: 'was answered by a captive portal: status 200, HTML',
  'answer-401': 'was answered with 401',
  'answer-403': 'was answered with 403',
  'answer-408': 'was answered with 408',
  'answer-409': 'was answered with 409',
  'answer-410': 'was answered with 410',
  'answer-422': 'was answered with 422',
  'answer-425': 'was answered with 425',
  'answer-429-seconds': 'was answered with 429 and Retry-After in seconds',
  'answer-429-date': 'was answered with 429 and Retry-After as a date',
  'answer-500': 'was answered with 500, without effect',
  'answer-503': 'was answered with 503, without effect',
  'applied-then-500': 'took effect, and was answered with 500',
  'kill-before': 'found the app killed as it was about to leave',
  'kill-after': 'was answered, but the app was killed before it heard',
} as const;

/** Kinds that strike a read or a write of the phone's storage. */
export const STORAGE_FAULTS = {
  slow: 'took seconds',
  full: 'failed: the storage is full',
  failed: 'failed with an I/O error',
  lost: 'was lost, though the app heard that it was done',
  torn: 'was cut in half: the app was killed in its middle',
  'kill-before': 'did not happen: the app was killed just before it',
  'kill-after': 'happened, but the app was killed before it heard',
} as const;

/** Kinds that strike a prompt for Face ID or the like. */
export const PROMPT_FAULTS = {
  'user-cancel': 'was cancelled by the person',
  'system-cancel': 'was cancelled by the system',
  lockout: 'was refused: too many tries',
  'not-recognised': 'did not recognise the person',
  'kill-before': 'never appeared: the app was killed just before it',
  'kill-after': 'was answered, but the app was killed before it heard',
} as const;

/** Kinds that strike a push on its way to the phone. */
export const PUSH_FAULTS = {
  lost: 'was lost',
  doubled: 'came twice',
  late: 'came minutes late',
} as const;

/** Kinds that strike the opening of a WebSocket. */
export const CONNECT_FAULTS = {
  slow: 'took seconds',
  refused: 'was refused',
  hang: 'got no answer for a minute',
  'kill-before': 'found the app killed as it was about to begin',
  'kill-after': 'was accepted, but the app was killed before it heard',
} as const;

/** Kinds that strike a frame on its way to the phone. */
export const RECEIVE_FAULTS = {
  delay: 'was overtaken by later ones',
  duplicate: 'came twice',
  lost: 'was lost',
  drop: 'never came: the connection broke',
  'half-open': 'never came: from there on the connection was dead, and nobody was told',
  'kill-before': 'found the app killed as it came in',
  'kill-after': 'came in, and then the app was killed',
} as const;

/** Kinds that strike a frame on its way from the phone. */
export const SEND_FAULTS = {
  lost: 'was lost',
  drop: 'was lost: the connection broke',
  'half-open': 'was lost: from there on the connection was dead, and nobody was told',
  'kill-before': 'found the app killed as it was about to leave',
  'kill-after': 'left, and then the app was killed',
} as const;

/** Kinds that strike a chunk of a streamed answer, such as Server-Sent Events. */
export const STREAM_FAULTS = {
  slow: 'took seconds, and all behind it waited',
  drop: 'never came: the stream broke',
  'half-open': 'never came: from there on the stream was dead, and nobody was told',
  'kill-before': 'found the app killed as it came in',
  'kill-after': 'came in, and then the app was killed',
} as const;

const CONNECTION_FAULTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'socket.connect': CONNECT_FAULTS,
  'socket.receive': RECEIVE_FAULTS,
  'socket.send': SEND_FAULTS,
  'stream.receive': STREAM_FAULTS,
};

export type RequestFault = keyof typeof REQUEST_FAULTS;
export type StorageFault = keyof typeof STORAGE_FAULTS;

/** Whether a target is one of the phone's own, rather than an endpoint. */
export const isStorageTarget = (target: string): boolean => !target.includes(' ');

/** Words for a fault kind, or undefined if there is none of that name for that target. */
export function faultWords(target: string, kind: string): string | undefined {
  return kindsFor(target)[kind];
}

function kindsFor(target: string): Readonly<Record<string, string>> {
  if (target === 'push') return PUSH_FAULTS;
  if (target === 'localAuthentication') return PROMPT_FAULTS;
  const ofConnection = CONNECTION_FAULTS[target];
  if (ofConnection) return ofConnection;
  return isStorageTarget(target) ? STORAGE_FAULTS : REQUEST_FAULTS;
}

/** Whether a fault kills the app: what a pair of faults is made with. */
export const isKill = (kind: string): boolean => kind.startsWith('kill') || kind === 'torn';
