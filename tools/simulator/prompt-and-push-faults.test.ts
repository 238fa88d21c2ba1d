import { expect, test } from 'vitest';
import type { PROMPT_FAULTS, PUSH_FAULTS } from './fault-kinds.ts';
import { type ProbeLaunch, type ProbeResult, runProbe, step } from './testing/probe.ts';

const isKilled = ({ trace }: ProbeResult) => trace.some((event) => event.kind === 'kill' && event.atMs < 90_000);

/** What each kind promises of a prompt: what the app heard, whether it was killed. */
const PROMPT_PROMISES: Record<keyof typeof PROMPT_FAULTS, readonly [heard: unknown, killed: boolean]> = {
  'user-cancel': [{ success: false, error: 'user_cancel' }, false],
  'system-cancel': [{ success: false, error: 'system_cancel' }, false],
  lockout: [{ success: false, error: 'lockout' }, false],
  'not-recognised': [{ success: false, error: 'authentication_failed' }, false],
  'kill-before': [null, true],
  'kill-after': [null, true],
};

/** An app that prompts once, under one fault. */
async function promptUnder(kind: string): Promise<ProbeResult & { heard: unknown; afterMs: number }> {
  const seen = { heard: null as unknown, afterMs: 0 };
  const open = ({ platform, device, launch }: ProbeLaunch) => {
    if (launch > 1) return undefined;
    void device.localAuthentication.authenticateAsync().then((result) => {
      seen.heard = result;
      seen.afterMs = platform.performance.now();
    });
    return undefined;
  };
  const result = await runProbe(open, { faults: [{ target: 'localAuthentication', kind }] });
  return { ...result, ...seen };
}

test.each(Object.entries(PROMPT_PROMISES))('does to a prompt what %s says', async (kind, [heard, killed]) => {
  const seen = await promptUnder(kind);

  expect([seen.heard, isKilled(seen)]).toEqual([heard, killed]);
  expect([...seen.struck]).toEqual([[`localAuthentication ${kind}`, 1]]);
});

test('lets a person answer a prompt after seconds when nothing is wrong', async () => {
  const { heard, afterMs } = await promptUnder('none of these');

  expect(heard).toEqual({ success: true });
  expect(afterMs).toBeGreaterThan(800);
  expect(afterMs).toBeLessThan(4_000);
});

/** A server that pushes once, at 10 s, and an app that listens. */
async function pushUnder(kind: string, steps: Parameters<typeof step>[] = []) {
  const received: { id: string; atMs: number }[] = [];
  let push = () => undefined as undefined;
  const open = ({ platform, device, launch }: ProbeLaunch) => {
    device.notifications.addNotificationReceivedListener(({ request }) =>
      received.push({ id: request.identifier, atMs: platform.Date.now() - platform.performance.timeOrigin }),
    );
    if (launch === 1) platform.setTimeout(() => push(), 10_000);
    return undefined;
  };
  const { arrivals: _, ...result } = await runProbe(open, {
    slots: 2_000,
    steps: steps.map((args) => step(...args)),
    faults: [{ target: 'push', kind }],
    scenario: {
      backend: (context) => {
        push = () => void context.push(0, { id: 1 }) as undefined;
        return { app: { fetch: () => new Response() } as never };
      },
    },
  });
  return { ...result, received };
}

/** What each kind promises of a push: how many come, and after how long at most. */
const PUSH_PROMISES: Record<keyof typeof PUSH_FAULTS, readonly [count: number, minMs: number, maxMs: number]> = {
  lost: [0, 0, 0],
  doubled: [2, 10_200, 15_000],
  late: [1, 130_000, 1_210_000],
};

test.each(Object.entries(PUSH_PROMISES))('does to a push what %s says', async (kind, [count, minMs, maxMs]) => {
  const { received, struck } = await pushUnder(kind);

  expect(received.map(({ id }) => id)).toEqual(Array.from({ length: count }, () => 'push-1'));
  expect(received.filter(({ atMs }) => atMs < minMs || atMs > maxMs)).toEqual([]);
  expect([...struck]).toEqual([[`push ${kind}`, 1]]);
});

test('brings a push within seconds when nothing is wrong', async () => {
  const { received } = await pushUnder('none of these');

  expect(received).toHaveLength(1);
  expect(received[0]?.atMs).toBeLessThan(15_000);
});

test('loses a push that finds the phone offline', async () => {
  const { received } = await pushUnder('none of these', [['offline', { ms: 60_000 }]]);

  expect(received).toEqual([]);
});
