import { expect, test } from 'vitest';
import type { EffectHost } from './host.ts';
import { createNetInfo, OFFLINE, WIFI } from './net-info.ts';

test('never tells a listener the past after the present, however late its first answer is', async () => {
  let state = OFFLINE;
  const answer = Promise.withResolvers<void>();
  const host = {
    perform: <T>(_effect: unknown, apply: () => T) => {
      const asked = apply();
      return answer.promise.then(() => asked);
    },
    deliver: (run: () => void) => run(),
  } as unknown as EffectHost;
  const netInfo = createNetInfo(host, () => state);
  const seen: boolean[] = [];
  netInfo.module.addEventListener(({ isConnected }) => seen.push(isConnected));

  state = WIFI;
  netInfo.changed();
  answer.resolve();
  await answer.promise;
  await Promise.resolve();

  expect(seen).toEqual([true, true]);
});
