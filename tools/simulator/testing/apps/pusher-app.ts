// An app on the real pusher-js, in its build for workers: subscribes to one channel and notes what it hears.
import Pusher from 'pusher-js/worker';

export interface PusherApp {
  /** What it heard, in order: states of the connection, events of the channel. */
  readonly heard: string[];
  readonly pusher: Pusher;
  whisper(text: string): boolean;
  dispose(): void;
}

export interface PusherAppOptions {
  readonly apiUrl: string;
  /** Host of the sockets, such as `ws.example.test`. */
  readonly wsHost: string;
  readonly channel: string;
  readonly pongTimeoutMs?: number;
}

export function createPusherApp({ apiUrl, wsHost, channel, pongTimeoutMs = 30_000 }: PusherAppOptions): PusherApp {
  const heard: string[] = [];
  const pusher = new Pusher('app-key', {
    cluster: '',
    wsHost,
    forceTLS: true,
    // Without it a first failure would go on to XMLHttpRequest, which this phone does not have.
    enabledTransports: ['ws', 'wss'],
    pongTimeout: pongTimeoutMs,
    channelAuthorization: { endpoint: `${apiUrl}/pusher/auth`, transport: 'ajax' },
  });
  pusher.connection.bind('state_change', ({ current }: { current: string }) => heard.push(current));
  pusher
    .subscribe(channel)
    .bind_global((event: string, data: unknown) => heard.push(`${event} ${JSON.stringify(data)}`));
  return {
    heard,
    pusher,
    whisper: (text) => pusher.channel(channel).trigger('client-whisper', { text }),
    dispose: () => pusher.disconnect(),
  };
}
