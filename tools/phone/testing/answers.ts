// What suites do with answers: keep them on the road, and read the code of a call's end.
import { http, type RequestHandler } from 'msw';

export interface HeldAnswers {
  /** Lets all of them through, and those that are still to come. */
  release(): void;
  /** Lets the oldest of them through. */
  releaseOne(): void;
}

export interface HoldOptions {
  /** MSW's path: what is held. */
  readonly url: string;
  /** Default: any. */
  readonly method?: 'get' | 'post';
  /** So many answers are held; later requests go to the handlers there were before (default: all). */
  readonly count?: number;
}

/** Requests arrive, and are answered by `fetch`; their answers stay on the road until they are let through. */
export function holdAnswers(
  server: { use(...handlers: RequestHandler[]): void },
  fetch: (request: Request) => Response | Promise<Response>,
  { url, method, count = Number.POSITIVE_INFINITY }: HoldOptions,
): HeldAnswers {
  const waiting: (() => void)[] = [];
  let isOpen = false;
  let left = count;
  const answer = async ({ request }: { request: Request }) => {
    if (left <= 0) return undefined;
    left -= 1;
    const response = await fetch(request);
    if (!isOpen) await new Promise<void>((go) => waiting.push(go));
    return response;
  };
  server.use(http[method ?? 'all'](url, answer));
  return {
    releaseOne: () => waiting.shift()?.(),
    release() {
      isOpen = true;
      for (const go of waiting.splice(0)) go();
    },
  };
}

/** The code a call has rejected with; `none` when it has resolved. */
export const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'none',
    (error: { code?: string }) => error.code ?? String(error),
  );
