// Streamed answers on the test phone, such as Server-Sent Events: they break, go silent and die as a phone's do.
import type { LaunchHandle, SocketSurroundings } from './test-sockets.ts';

/**
 * What a test does with streamed answers. Part of the test phone.
 * MSW gives an answer's headers with its first chunk: a backend that wants to be heard at once writes a comment first.
 */
export interface StreamHands {
  /** Answers of type `text/event-stream` that the app is still reading. */
  readonly openStreams: number;
  /** Breaks every open stream: the app's reading rejects, the backend's stream is cancelled. */
  dropStreams(): Promise<void>;
}

/** Whether an answer is one that goes on after its headers. */
export const isEventStream = (response: Response): boolean =>
  response.headers.get('content-type')?.startsWith('text/event-stream') === true;

interface Stream {
  isSilent: boolean;
  /** Ends it for the app, and for the backend. */
  end(error: unknown): void;
  /** Ends it for the backend alone: the app is dead. */
  abandon(): void;
}

/** The streamed answers of one test phone. */
export function createTestStreams({ deliver, settle }: SocketSurroundings) {
  const open = new Set<Stream>();
  const hands: StreamHands = {
    get openStreams() {
      return open.size;
    },
    async dropStreams() {
      for (const stream of [...open]) stream.end(new TypeError('Network request failed'));
      await settle();
    },
  };

  /** The same answer with a body that the phone can break. */
  function carry(response: Response, launch: LaunchHandle, signal: AbortSignal): Response {
    if (response.body === null) return response;
    const reader = response.body.getReader();
    if (!launch.isAlive) {
      void reader.cancel();
      return response;
    }
    const ignore = () => undefined;
    let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
    const stream: Stream = {
      isSilent: false,
      end(error) {
        if (!open.delete(stream)) return;
        deliver(launch, () => controller?.error(error));
        reader.cancel().catch(ignore);
      },
      abandon() {
        if (open.delete(stream)) reader.cancel().catch(ignore);
      },
    };
    const give = (run: () => void) => {
      if (!stream.isSilent && open.has(stream)) deliver(launch, run);
    };
    const pump = async () => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        give(() => open.has(stream) && controller?.enqueue(value));
      }
      give(() => open.delete(stream) && controller?.close());
    };
    const body = new ReadableStream<Uint8Array>({
      start(made) {
        controller = made;
      },
      cancel: () => stream.abandon(),
    });
    open.add(stream);
    signal.addEventListener('abort', () => stream.end(signal.reason), { once: true });
    pump().catch((error: unknown) => stream.end(error));
    return new Response(body, { status: response.status, headers: response.headers });
  }

  return {
    hands,
    carry,
    networkLost() {
      for (const stream of open) stream.isSilent = true;
    },
    appKilled() {
      for (const stream of [...open]) stream.abandon();
    },
  };
}
