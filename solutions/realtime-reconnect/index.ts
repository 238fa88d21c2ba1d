// The reference. Two layers: a link that is kept alive (`link`), and on it channels that are kept whole (`channels`).
// `wire` reads frames for both. This file puts them together, and shows them.
import { createStore } from 'zustand/vanilla';
import type { CreateRealtime, RealtimeState } from '#contract/realtime-reconnect';
import { createChannels } from './channels.ts';
import { createLink, tell } from './link.ts';

export const createRealtime: CreateRealtime = (options) => {
  const { device, socketUrl, appKey } = options;
  const url = `${socketUrl}/app/${appKey}?protocol=7&client=kata&version=1`;
  const channels = createChannels(options, () => link.current(), show);
  const link = createLink(device, url, { ...channels, shown: show });
  const store = createStore<RealtimeState>(toState);
  let isDisposed = false;

  function toState(): RealtimeState {
    return { ...link.getState(), channels: channels.getState() };
  }

  function show(): void {
    store.setState(toState());
  }

  return {
    connect() {
      if (!isDisposed) link.connect();
    },
    disconnect: () => link.halt('idle'),
    join: (name, handler) => (isDisposed ? () => {} : channels.join(name, handler)),
    send(name, event, data) {
      const own = link.current();
      if (!own || channels.statusOf(name) !== 'live' || !event.startsWith('client-')) return false;
      tell(own, event, data, name);
      return true;
    },
    getState: store.getState,
    subscribe: (listener) => store.subscribe(() => listener()),
    dispose() {
      isDisposed = true;
      link.halt('idle');
    },
  };
};
