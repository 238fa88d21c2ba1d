import fc from 'fast-check';
import { Hono } from 'hono';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Device } from '../phone/device.ts';
import { firstDifference } from './difference.ts';
import { shrinkPlan } from './generate.ts';
import type { Plan } from './plan.ts';
import { catchRejections, hashTrace, runPlan } from './run.ts';
import { type BackendContext, defineAction, defineScenario, type WorldView } from './scenario.ts';
import { planSchedules } from './schedules.ts';
import { tellSteps, tellStory } from './story.ts';
import { API_URL, createPlan, type Platform, step } from './testing/probe.ts';
import type { AnyScenario, AppFactory } from './world.ts';

let release: () => void;
beforeAll(() => {
  release = catchRejections();
});
afterAll(() => release());

const USERS = ['ada', 'ben'] as const;

/** A board where each user posts under a name of their own; the others are told by a push. */
function createBoard({ nowMs, record, push }: BackendContext) {
  const posts: { user: string; text: string; atMs: number }[] = [];
  const app = new Hono();
  app.post('/posts', async (context) => {
    const user = context.req.header('x-user') ?? '';
    posts.push({ user, text: await context.req.text(), atMs: nowMs() });
    record('posted', user);
    for (const [phone, other] of USERS.entries()) if (other !== user) push(phone, { from: user });
    return context.json({});
  });
  return { app, posts };
}

interface BoardApp {
  post(text: string): Promise<void>;
  readonly seen: string[];
  dispose(): void;
}

function openBoard(platform: Platform, device: Device, user: string): BoardApp {
  const seen: string[] = [];
  const subscription = device.notifications.addNotificationReceivedListener(({ request }) => {
    seen.push(String(request.content.data.from));
  });
  return {
    seen,
    dispose: () => subscription.remove(),
    async post(text) {
      await device.asyncStorage.setItem('draft', text);
      await platform.fetch(`${API_URL}/posts`, { method: 'POST', body: text, headers: { 'x-user': user } });
    },
  };
}

type Board = ReturnType<typeof createBoard>;
interface Facts {
  readonly users: readonly string[];
  /** How often each phone's person has posted, by phone. */
  readonly taps: number[];
  readonly healed: string[];
}
type View = WorldView<BoardApp, Board, Facts>;

let world: View;

const scenario = defineScenario<Platform, BoardApp, Board, Facts>({
  kata: 'board',
  apiUrl: API_URL,
  phones: 2,
  slots: 10,
  gapsMs: [1_000],
  endpoints: ['POST /posts'],
  backend: createBoard,
  facts: () => ({ users: USERS, taps: [0, 0], healed: [] }),
  furnish: (disk, facts, phone) => disk.mmkv.set('user', facts.users[phone] ?? ''),
  open: ({ module, device }) => openBoard(module, device, device.mmkv.getString('user') ?? ''),
  close: (app) => app.dispose(),
  view: (app) => app.seen.length,
  healed: ({ phone, facts, app }) => {
    facts.healed.push(`${phone.index} ${app.seen.length}`);
  },
  actions: {
    post: defineAction<BoardApp, Board, Facts, { text: string }>({
      args: fc.record({ text: fc.constantFrom('a', 'b') }),
      says: ({ text }) => `posts ${text}`,
      run: ({ app, follow, facts, phone }, { text }) => {
        facts.taps[phone.index] = (facts.taps[phone.index] ?? 0) + 1;
        follow(`post ${text}`, () => app.post(text).catch(() => undefined));
      },
    }),
    lose: defineAction<BoardApp, Board, Facts, Record<string, never>>({
      opensApp: false,
      args: fc.constant({}),
      says: () => 'the draft vanishes',
      run: ({ phone }) => phone.disk.asyncStorage.delete('draft'),
    }),
  },
  conditions: { offline: { forMs: [2_000] }, kill: { forMs: [3_000] }, reinstall: { forMs: [1_000] } },
  faults: { 'POST /posts': ['response-lost', 'kill-after'], 'storage.write': ['full', 'kill-before'], push: ['lost'] },
  invariants: [
    {
      id: 'own-posts',
      promise: 'nobody posts for another',
      spec: [],
      watch: (view) => {
        world = view;
        return (event) =>
          event.kind === 'request' && event.request.headers['x-user'] !== view.facts.users[event.phone]
            ? `phone ${event.phone} posted as ${event.request.headers['x-user']}`
            : undefined;
      },
    },
    {
      id: 'ben-is-silent',
      promise: 'breaks when Ben has posted: something to shrink to',
      spec: [],
      settled: ({ backend }) => (backend.posts.some(({ user }) => user === 'ben') ? 'Ben has posted.' : undefined),
    },
  ],
  budgets: [],
  patienceMs: 60_000,
}) as unknown as AnyScenario;

const factory: AppFactory = (globals) => globals;
const plan = (...[options]: Parameters<typeof createPlan>): Plan => ({
  ...createPlan({ slots: 10, ...options }),
  kata: 'board',
});
const post = (phone: number, text = 'a') => step('post', { text }, phone);

test('gives each phone its own user, disk and actions, and one server', async () => {
  const { violations } = await runPlan(scenario, factory, plan({ steps: [post(0, 'a'), post(1, 'b'), post(1, 'a')] }));

  expect(world.backend.posts.map(({ user, text }) => `${user} ${text}`)).toEqual(['ada a', 'ben b', 'ben a']);
  expect(world.facts.taps).toEqual([1, 2]);
  expect(world.phones.map(({ disk }) => disk.asyncStorage.get('draft'))).toEqual(['a', 'a']);
  expect(violations.map(({ invariant }) => invariant)).toEqual(['ben-is-silent']);
});

test('sends a push to the phone it is for', async () => {
  const seen: number[][] = [];
  const watching = {
    ...scenario,
    healed: () => {
      seen.push(world.phones.map(({ app }) => (app as BoardApp | null)?.seen.length ?? -1));
    },
  } as AnyScenario;

  await runPlan(watching, factory, plan({ steps: [post(0), post(0), post(1)] }));

  expect(seen[0]).toEqual([1, 2]);
});

test('strikes with a fault the phone it is planned for, and no other', async () => {
  const faults = [{ target: 'storage.write', nth: 1, phone: 1, kind: 'full' }];

  await runPlan(scenario, factory, plan({ steps: [post(0), post(1)], faults }));

  expect(world.backend.posts.map(({ user }) => user)).toEqual(['ada']);
});

test('befalls with a condition the phone it is planned for, and no other', async () => {
  const steps = [step('offline', { ms: 8_000 }, 1), post(0), post(1), step('reinstall', { ms: 1_000 }, 0)];

  await runPlan(scenario, factory, plan({ steps }));

  expect(world.requests.map(({ phone, sentOnline }) => [phone, sentOnline])).toEqual([
    [0, true],
    [1, false],
  ]);
  expect(world.phones.map(({ installs, disk }) => [installs, disk.mmkv.get('user')])).toEqual([
    [2, undefined],
    [1, 'ben'],
  ]);
});

test('acts beside the app when an action does not open it', async () => {
  const steps = [post(1), step('kill', { ms: 60_000 }, 1), step('lose', {}, 1)];
  const { trace } = await runPlan(scenario, factory, plan({ steps }));

  const launches = trace.filter((event) => event.kind === 'launch' && event.phone === 1 && event.atMs < 9_000);

  expect(launches).toHaveLength(1);
  expect(world.phones[1]?.disk.asyncStorage.get('draft')).toBeUndefined();
});

test('refuses the app to an action that does not open it when none is running', async () => {
  const careless = {
    ...scenario,
    actions: {
      ...scenario.actions,
      lose: { opensApp: false, args: fc.constant({}), says: () => '', run: ({ app }: { app: unknown }) => app },
    },
  } as unknown as AnyScenario;
  const steps = [step('kill', { ms: 60_000 }, 1), step('lose', {}, 1)];

  await expect(runPlan(careless, factory, plan({ steps }))).rejects.toThrow('must look at stage.phone.app first');
});

test('lets the person come back once to each phone, after the healing and after the relaunch', async () => {
  await runPlan(scenario, factory, plan({ steps: [step('offline', { ms: 60_000 }, 0)] }));

  expect(world.facts.healed).toEqual(['0 0', '1 0', '0 0', '1 0']);
});

test('tells which phone did what, and no phone of what befalls all', async () => {
  const steps = [post(1, 'b'), step('outage', { ms: 1_000 }, 1), step('lose', {}, 1)];
  const faults = [{ target: 'POST /posts', nth: 1, phone: 1, kind: 'response-lost' }];
  const story = await tellStory(scenario, factory, null, plan({ steps, faults }), null);

  expect(story.steps).toEqual([
    'phone 2: the person posts b',
    'phone 2: the 1st POST /posts took effect, but its answer was lost',
    'the server is down for 1 s',
    'phone 2: the draft vanishes',
    'from here on everything works, and nobody asks for anything new',
  ]);
  expect(new Set(story.events.map(({ phone }) => phone))).toEqual(new Set([0, 1]));
});

test('names the phone at which two runs part', async () => {
  const one = await runPlan(scenario, factory, plan({ steps: [post(0), post(1)] }));
  const other = await runPlan(scenario, factory, plan({ steps: [post(0), null] }));

  expect(firstDifference(one.trace, other.trace)?.attempt).toBe('phone 2: sends POST /posts');
});

test('sweeps faults and conditions over both phones', async () => {
  const count = async (one: Plan) => (await runPlan(scenario, factory, one)).counts;
  const schedules = await planSchedules(scenario, { seed: 1, schedules: 400, saved: [] }, count);
  const sweep = schedules.filter(({ path }) => path.startsWith('sweep')).map(({ plan: one }) => one);

  const phonesOf = (which: 'faults' | 'conditions') =>
    new Set(
      sweep.flatMap(({ faults, steps }) =>
        which === 'faults'
          ? faults.map(({ phone }) => phone)
          : steps.flatMap((one) => (one && one.do in scenario.conditions ? [one.phone] : [])),
      ),
    );

  expect([phonesOf('faults'), phonesOf('conditions')]).toEqual([new Set([0, 1]), new Set([0, 1])]);
});

test('shrinks to what one phone did', async () => {
  const steps = [post(0), step('offline', { ms: 2_000 }, 0), post(1), post(0), step('kill', { ms: 3_000 }, 1)];
  const faults = [{ target: 'storage.write', nth: 1, phone: 0, kind: 'full' }];
  const fails = async (one: Plan) =>
    (await runPlan(scenario, factory, one)).violations.some(({ invariant }) => invariant === 'ben-is-silent');

  const small = await shrinkPlan(scenario, plan({ steps, faults }), fails, 200);

  expect([small.steps.filter((one) => one !== null), small.faults]).toEqual([[post(1)], []]);
  expect(tellSteps(scenario, small, (await runPlan(scenario, factory, small)).trace)[0]).toBe(
    'phone 2: the person posts a',
  );
});

test('gives the same bytes for the same plan', async () => {
  const faults = [{ target: 'POST /posts', nth: 1, phone: 1, kind: 'kill-after' }];
  const run = async () =>
    hashTrace((await runPlan(scenario, factory, plan({ steps: [post(1), post(0)], faults }))).trace);

  expect(await run()).toBe(await run());
});
