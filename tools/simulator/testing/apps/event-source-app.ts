// An app on the global `EventSource`: notes what it hears of a stream of Server-Sent Events.

export interface EventSourceApp {
  /** What it heard, in order. */
  readonly heard: string[];
  readonly source: EventSource;
  dispose(): void;
}

export function createEventSourceApp({ url }: { url: string }): EventSourceApp {
  const heard: string[] = [];
  const source = new EventSource(url);
  source.onopen = () => heard.push('open');
  source.onerror = () => heard.push(source.readyState === EventSource.CLOSED ? 'closed' : 'error');
  source.onmessage = ({ data, lastEventId }) => heard.push(`${lastEventId}: ${data}`);
  return { heard, source, dispose: () => source.close() };
}
