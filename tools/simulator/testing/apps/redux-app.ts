import { legacy_createStore as createStore } from 'redux';

const store = createStore((count: number = 0, action: { type: string }) => (action.type === 'add' ? count + 1 : count));

export function add(): number {
  store.dispatch({ type: 'add' });
  return store.getState();
}
