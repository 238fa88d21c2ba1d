import { createStore } from 'zustand/vanilla';

const store = createStore(() => ({ count: 0 }));

export function add(): number {
  store.setState(({ count }) => ({ count: count + 1 }));
  return store.getState().count;
}
