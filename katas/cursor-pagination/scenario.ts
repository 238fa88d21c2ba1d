// The simulation: people scroll, refresh and filter, while others post, delete and vote, and everything goes wrong.
import fc from 'fast-check';
import type { CursorPaginationModule, Pager, PagerError, PagerState } from '#contract/cursor-pagination';
import {
  atSend,
  defineAction,
  defineScenario,
  type Invariant,
  type Json,
  type RequestRecord,
  type Stage,
  type WorldView,
} from '#simulator';
import { createBackend, type FeedBackend, type Post, TOPICS } from './backend.ts';

type App = Pager<Post>;

interface Facts {
  /** What the app opens with. */
  home: string | null;
  /** What the list is about now; null for the whole feed. */
  topic: string | null;
  /** How often it was asked about something else. */
  questions: number;
  /** Calls of the app so far. */
  calls: number;
  isHealed: boolean;
  /** Once all was well, somebody has scrolled as far as the app let them. */
  hasScrolled: boolean;
  /** Scrolls the running app to the end. */
  scroll: () => void;
}

type FeedStage = Stage<App, FeedBackend, Facts>;
type FeedWorld = WorldView<App, FeedBackend, Facts>;
type FeedInvariant = Invariant<App, FeedBackend, Facts>;
type Nothing = Record<string, never>;

const LIMIT = 6;
const CACHE_KEY = 'home-feed';
/** More calls than the whole feed has pages. */
const SCROLL_CALLS = 60;
/** A call asks for five pages at most, and once for the top when its cursor is refused. */
const REQUESTS_PER_CALL = 6;

// ---------------------------------------------------------------------------------------------------------------------
// What people do

const paramsOf = (topic: string | null): { topic?: string } => (topic === null ? {} : { topic });

function call({ facts, follow }: FeedStage, label: string, start: () => Promise<void>): void {
  facts.calls += 1;
  follow(label, start);
}

function ask(stage: FeedStage, topic: string | null): void {
  const { app, facts } = stage;
  facts.topic = topic;
  facts.questions += 1;
  call(stage, `show ${topic ?? 'all'}`, () => app.setParams(paramsOf(topic)));
}

const topic = fc.constantFrom(null, ...TOPICS);
/** Near the top, where people look. */
const place = fc.integer({ min: 0, max: 23 });
const score = fc.constantFrom(0, 10, 20, 30, 45, 50, 60, 70);

const actions = {
  loadMore: defineAction<App, FeedBackend, Facts, Nothing>({
    weight: 5,
    args: fc.constant({}),
    says: () => 'scrolls on',
    run: (stage) => call(stage, 'load more', () => stage.app.loadMore()),
  }),
  fling: defineAction<App, FeedBackend, Facts, { times: number }>({
    weight: 3,
    args: fc.record({ times: fc.integer({ min: 2, max: 4 }) }),
    says: ({ times }) => `scrolls so fast that the end is reported ${times} times`,
    run: (stage, { times }) => {
      for (let n = 0; n < times; n += 1) call(stage, 'load more', () => stage.app.loadMore());
    },
  }),
  refresh: defineAction<App, FeedBackend, Facts, Nothing>({
    weight: 2,
    args: fc.constant({}),
    says: () => 'pulls to refresh',
    run: (stage) => call(stage, 'refresh', () => stage.app.refresh()),
  }),
  filter: defineAction<App, FeedBackend, Facts, { topic: string | null }>({
    args: fc.record({ topic }),
    says: ({ topic }) => `shows ${topic === null ? 'all topics' : `"${topic}"`}`,
    run: (stage, { topic }) => ask(stage, topic),
  }),
  filterQuickly: defineAction<App, FeedBackend, Facts, { topics: (string | null)[] }>({
    args: fc.record({ topics: fc.array(topic, { minLength: 3, maxLength: 3 }) }),
    says: ({ topics }) => `taps through ${topics.map((topic) => topic ?? 'all').join(', ')}`,
    run: (stage, { topics }) => {
      for (const topic of topics) ask(stage, topic);
    },
  }),
  othersPost: defineAction<App, FeedBackend, Facts, { topic: string; score: number }>({
    weight: 2,
    args: fc.record({ topic: fc.constantFrom(...TOPICS), score }),
    says: ({ topic, score }) => `waits while somebody posts on "${topic}" (score ${score})`,
    run: ({ backend }, { topic, score }) => void backend.post({ topic, score, title: 'Just posted' }),
  }),
  othersDelete: defineAction<App, FeedBackend, Facts, { place: number }>({
    args: fc.record({ place }),
    says: ({ place }) => `waits while the author of post ${place + 1} deletes it`,
    run: ({ backend }, { place }) => {
      const post = backend.feed()[place];
      if (post) backend.remove(post.id);
    },
  }),
  othersVoteDown: defineAction<App, FeedBackend, Facts, { place: number; by: number }>({
    weight: 3,
    args: fc.record({ place: fc.integer({ min: 0, max: 11 }), by: fc.constantFrom(5, 12, 30) }),
    says: ({ place, by }) => `waits while votes take ${by} from post ${place + 1} of the list`,
    run: ({ app, backend }, { place, by }) => {
      const post = backend.feed().find(({ id }) => id === stateOf(app).items[place]?.id);
      if (post) backend.move(post.id, post.score - by);
    },
  }),
  othersVoteUp: defineAction<App, FeedBackend, Facts, { place: number; score: number }>({
    args: fc.record({ place, score }),
    says: ({ place, score }) => `waits while votes bring post ${place + 1} of the feed to ${score}`,
    run: ({ backend }, { place, score }) => {
      const post = backend.feed()[place];
      if (post) backend.move(post.id, score);
    },
  }),
  othersHide: defineAction<App, FeedBackend, Facts, { place: number; count: number }>({
    // The longest leaves more empty pages in a row than one call may ask for.
    args: fc.record({ place, count: fc.constantFrom(3, 14, 45) }),
    says: ({ place, count }) => `waits while ${count} posts from post ${place + 1} on become private`,
    run: ({ backend }, { place, count }) =>
      backend.hide(
        backend
          .feed()
          .slice(place, place + count)
          .map(({ id }) => id),
      ),
  }),
  serverForgets: defineAction<App, FeedBackend, Facts, Nothing>({
    args: fc.constant({}),
    says: () => 'puts the phone down until the server has forgotten all cursors',
    run: ({ backend }) => backend.forgetCursors(),
  }),
};

// ---------------------------------------------------------------------------------------------------------------------
// What an app shows. It may be anything: an attempt is not trusted to keep to its types.

const NOTHING: PagerState<Post> = { items: [], status: 'idle', hasMore: true, source: 'none', error: null };

function stateOf(app: App | null | undefined): PagerState<Post> {
  try {
    const state: Partial<PagerState<Post>> | undefined = app?.getState();
    return Array.isArray(state?.items) ? { ...NOTHING, ...state } : NOTHING;
  } catch {
    return NOTHING;
  }
}

const shown = (world: FeedWorld): PagerState<Post> => stateOf(world.phones[0]?.app);
const idsOf = (items: readonly Post[]): string[] => items.map((item) => String(item?.id));
const errorWords = (error: PagerError | null): string =>
  error ? `${error.code} ${error.status ?? ''}`.trim() : 'none';

function view(app: App): { [name: string]: Json } {
  const { items, status, hasMore, source, error } = stateOf(app);
  return { items: idsOf(items), status, hasMore, source, error: errorWords(error) };
}

function askedFor({ url }: RequestRecord): { topic: string | null; cursor: string | null } {
  const { searchParams } = new URL(url);
  return { topic: searchParams.get('topic'), cursor: searchParams.get('cursor') };
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: the list, at each change

/** Calls `look` with the state at each change of it. Lists are only looked at when they are new. */
function atState(
  look: (world: FeedWorld) => (state: PagerState<Post>) => string | undefined,
): NonNullable<FeedInvariant['watch']> {
  return (world) => {
    const lookAt = look(world);
    return (event) => (event.kind === 'state' ? lookAt(shown(world)) : undefined);
  };
}

const idsAreUnique: FeedInvariant = {
  id: 'ids-are-unique',
  promise: 'No post is shown twice.',
  spec: ['R3', 'E1'],
  watch: atState(() => {
    let checked: readonly Post[] = [];
    return ({ items }) => {
      if (items === checked) return undefined;
      checked = items;
      const ids = idsOf(items);
      if (new Set(ids).size === ids.length) return undefined;
      const twin = ids.find((id, n) => ids.indexOf(id) !== n);
      return twin && `Post ${twin} is shown at places ${ids.indexOf(twin) + 1} and ${ids.lastIndexOf(twin) + 1}.`;
    };
  }),
};

const showsTheQuestion: FeedInvariant = {
  id: 'shows-what-was-asked',
  promise: 'What is shown belongs to the present params.',
  spec: ['R8', 'E10'],
  watch: atState(({ facts }) => ({ items, source }) => {
    const stray = facts.topic === null ? undefined : items.find((item) => item?.topic !== facts.topic);
    return stray && `Post ${stray.id} on "${stray.topic}" is shown (from ${source}) under the filter "${facts.topic}".`;
  }),
};

const failureChangesNothing: FeedInvariant = {
  id: 'failure-changes-nothing',
  promise: 'A call that fails leaves the list as it was.',
  spec: ['R5', 'R7'],
  watch: (world) => {
    let idle = { ids: '', hasMore: true, questions: 0 };
    let wasIdle = true;
    return (event) => {
      if (event.kind === 'launch') idle = { ids: '', hasMore: true, questions: world.facts.questions };
      if (event.kind !== 'state') return undefined;
      const { items, hasMore, status, error, source } = shown(world);
      const isEnd = status === 'idle' && !wasIdle;
      wasIdle = status === 'idle';
      if (status !== 'idle') return undefined;
      const before = idle;
      const ids = idsOf(items).join(' ');
      idle = { ids, hasMore, questions: world.facts.questions };
      if (!isEnd || error === null || source === 'cache' || before.questions !== idle.questions) return undefined;
      if (before.ids === ids && before.hasMore === hasMore) return undefined;
      return `After the failure ${errorWords(error)} the list is [${shorten(ids)}] (hasMore ${hasMore}); before it was [${shorten(before.ids)}] (hasMore ${before.hasMore}).`;
    };
  },
};

const refreshIsExact: FeedInvariant = {
  id: 'refresh-is-exact',
  promise: 'After a refresh the list is what the server gave as its first page.',
  spec: ['R7'],
  watch: (world) => {
    const begun = new Map<number, number>();
    return (event) => {
      if (event.kind === 'action' && event.label === 'refresh') begun.set(event.id, world.facts.calls);
      if (event.kind !== 'settled' || event.label !== 'refresh') return undefined;
      const { items, status, source, error } = shown(world);
      const isOvertaken = begun.get(event.id) !== world.facts.calls;
      if (isOvertaken || status !== 'idle' || source !== 'network' || error !== null) return undefined;
      const { topic } = world.facts;
      const given = world.backend.requests.filter((one) => one.cursor === null && one.status === 200);
      // A copy of an older question may have reached the server late: any of the last three may be the one.
      const firstPages = given.filter((one) => one.topic === topic).slice(-3);
      const ids = idsOf(items).join(' ');
      if (firstPages.some((page) => page.ids.join(' ') === ids)) return undefined;
      const fresh = firstPages.at(-1)?.ids.join(' ') ?? '';
      return `After a refresh the list is [${shorten(ids)}], but the server's first page was [${shorten(fresh)}].`;
    };
  },
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold: the requests

const cursorsAsGiven: FeedInvariant = {
  id: 'cursors-as-given',
  promise: 'Every cursor sent was given by the server, for the same params.',
  spec: ['R1'],
  watch: atSend(({ backend }: FeedWorld) => (request) => {
    const { topic, cursor } = askedFor(request);
    if (cursor === null) return undefined;
    const madeFor = backend.issued.get(cursor);
    if (madeFor === undefined) return `The cursor "${shorten(cursor)}" was sent; the server never gave it.`;
    return madeFor === topic ? undefined : `A cursor made for ${madeFor ?? 'all'} was sent with ${topic ?? 'all'}.`;
  }),
};

const cursorsOfThisLaunch: FeedInvariant = {
  id: 'cursors-of-this-launch',
  promise: 'After a launch no cursor leaves before the network has given a first page.',
  spec: ['R9'],
  watch: () => {
    let hasPage = false;
    return (event) => {
      if (event.kind === 'launch') hasPage = false;
      if (event.kind !== 'request') return undefined;
      if (event.phase === 'received' && event.note === '200') hasPage = true;
      if (event.phase !== 'sent' || hasPage) return undefined;
      const { cursor } = askedFor(event.request);
      return cursor === null ? undefined : `The cursor "${shorten(cursor)}" of an earlier launch was sent.`;
    };
  },
};

const oneAtATime: FeedInvariant = {
  id: 'one-at-a-time',
  promise: 'At most one request is out that is not aborted.',
  spec: ['R2', 'R6'],
  watch: atSend(() => ({ nth }, others) => {
    return others().length === 0 ? undefined : `Request ${nth} left while another was out.`;
  }),
};

const silentOffline: FeedInvariant = {
  id: 'silent-offline',
  promise: 'No request leaves while netInfo says offline.',
  spec: ['R11'],
  watch: atSend(() => ({ sentOnline, nth }) => {
    return sentOnline ? undefined : `Request ${nth} left while the phone was offline.`;
  }),
};

const asksWhenAsked: FeedInvariant = {
  id: 'asks-only-when-asked',
  promise: 'A request leaves only while a call is open, and no call makes more than six.',
  spec: ['R5', 'E3', 'R10'],
  watch: () => {
    const open = new Set<number>();
    let allowed = 0;
    let sent = 0;
    return (event) => {
      if (event.kind === 'kill') open.clear();
      if (event.kind === 'action') {
        if (open.size === 0) [allowed, sent] = [0, 0];
        open.add(event.id);
        allowed += REQUESTS_PER_CALL;
      }
      if (event.kind === 'settled') open.delete(event.id);
      if (event.kind !== 'request' || event.phase !== 'sent') return undefined;
      if (open.size === 0) return `Request ${event.request.nth} left although no call was open.`;
      sent += 1;
      return sent > allowed ? `${sent} requests left for ${allowed / REQUESTS_PER_CALL} calls.` : undefined;
    };
  },
};

// ---------------------------------------------------------------------------------------------------------------------
// What must hold once all is well again

const scrollsToTheEnd: FeedInvariant = {
  id: 'scrolls-to-the-end',
  promise: 'Scrolled to its end, the list shows each post that stayed where it was once, in the order of the server.',
  spec: ['R4', 'E2'],
  watch: ({ facts, phones }) => {
    return (event) => {
      if (event.kind !== 'condition' || event.condition !== 'healed') return undefined;
      facts.isHealed = true;
      // The phone heals in the same breath. An app that is dead scrolls after its launch.
      if (phones[0]?.app) queueMicrotask(() => facts.scroll());
      return undefined;
    };
  },
  settled: (world) => {
    const { items, hasMore, status, error } = shown(world);
    if (status !== 'idle') return `All is quiet, but the status is ${status}.`;
    if (hasMore !== false) return `${SCROLL_CALLS} calls have not come to the end (error: ${errorWords(error)}).`;
    const stayed = (posts: readonly Post[]) => idsOf(posts).filter((id) => world.backend.isUntouched(id));
    const wanted = stayed(world.backend.feed(world.facts.topic));
    const seen = stayed(items);
    const missing = wanted.find((id) => !seen.includes(id));
    if (missing) return `Post ${missing} was there all the time and is not shown.`;
    const at = wanted.findIndex((id, n) => seen[n] !== id);
    return at < 0 ? undefined : `Post ${seen[at]} is shown where the server has ${wanted[at]}.`;
  },
};

const startsAtTheTop: FeedInvariant = {
  id: 'starts-at-the-top',
  promise: 'After one more launch the list is the first page of the server.',
  spec: ['R9', 'E7'],
  relaunched: (world) => {
    const { items, source, status } = shown(world);
    const last = world.backend.requests.at(-1);
    const isRight = source === 'network' && status === 'idle' && last?.ids.join() === idsOf(items).join();
    if (isRight) return undefined;
    return `After a restart it shows [${shorten(idsOf(items).join(' '))}] from ${source} (${status}); the server gave [${last?.ids.join(' ')}].`;
  },
};

// ---------------------------------------------------------------------------------------------------------------------

function scrollOn(app: App, facts: Facts, follow: FeedStage['follow'], callsLeft: number): void {
  follow('scroll on', () => app.loadMore(), {
    done: () => {
      if (callsLeft > 1 && stateOf(app).hasMore) scrollOn(app, facts, follow, callsLeft - 1);
      else facts.hasScrolled = true;
    },
  });
}

export const scenario = defineScenario<CursorPaginationModule, App, FeedBackend, Facts>({
  kata: 'cursor-pagination',
  apiUrl: 'https://api.cragbook.test',
  slots: 14,
  gapsMs: [0, 5, 90, 150, 400, 1_500, 8_000, 40_000],
  endpoints: ['GET /posts'],
  backend: createBackend,
  facts: () => ({
    home: null,
    topic: null,
    questions: 0,
    calls: 0,
    isHealed: false,
    hasScrolled: false,
    scroll: () => undefined,
  }),
  furnish(disk, facts, _phone, pick) {
    facts.home = pick('home', 2) === 0 ? null : TOPICS[0];
    if (pick('damaged record', 6) > 0) return;
    // Whatever an attempt stores, this is no whole record of it.
    disk.asyncStorage.set(CACHE_KEY, '{"params":{},"items":[{"id":"p-9"');
    disk.mmkv.set(CACHE_KEY, '{"params":{},"items":[{"id":"p-9"');
  },
  open({ module, device, apiUrl, facts, follow, stateChanged }) {
    facts.topic = facts.home;
    facts.questions += 1;
    const params = paramsOf(facts.home);
    const app = module.createPager<Post>({ device, apiUrl, path: '/posts', limit: LIMIT, params, cacheKey: CACHE_KEY });
    app.subscribe(stateChanged);
    const scroll = () => scrollOn(app, facts, follow, SCROLL_CALLS);
    facts.scroll = scroll;
    // A request that left before all was well may still kill the app: then the next launch scrolls.
    const begun = () => {
      if (facts.isHealed && !facts.hasScrolled) scroll();
    };
    follow('start', () => app.start(), { done: begun });
    return app;
  },
  close: (app) => app.dispose(),
  view,
  actions,
  conditions: {
    offline: { weight: 2, forMs: [3_000, 60_000] },
    background: { forMs: [10_000, 1_200_000] },
    kill: { weight: 2, forMs: [200, 60_000] },
    clock: { byMs: [-3_600_000, 3_600_000] },
    outage: { forMs: [8_000, 120_000] },
    flap: { forMs: [150, 1_200] },
  },
  faults: {
    'GET /posts': [
      'request-lost',
      'response-lost',
      'hang',
      'delay',
      'truncate',
      'portal',
      'answer-401',
      'answer-408',
      'answer-410',
      'answer-429-seconds',
      'answer-500',
      'answer-503',
      'kill-before',
      'kill-after',
    ],
    'storage.write': ['full', 'failed', 'slow', 'kill-before', 'kill-after'],
    'storage.read': ['failed', 'slow', 'kill-before'],
  },
  invariants: [
    idsAreUnique,
    showsTheQuestion,
    failureChangesNothing,
    refreshIsExact,
    cursorsAsGiven,
    cursorsOfThisLaunch,
    oneAtATime,
    silentOffline,
    asksWhenAsked,
    scrollsToTheEnd,
    startsAtTheTop,
  ],
  budgets: [
    {
      id: 'requests',
      promise: 'One request a page.',
      spec: ['R13'],
      measure: ({ costs }) => costs.requests,
      allowance: 1.25,
    },
    {
      id: 'bytes-received',
      promise: 'Few bytes a post.',
      spec: ['R13'],
      measure: ({ costs }) => costs.bytesReceived,
      allowance: 1.25,
    },
    {
      id: 'storage-writes',
      promise: 'One write a first page.',
      spec: ['R13'],
      measure: ({ costs }) => costs.storageWrites,
      allowance: 1.25,
    },
    {
      id: 'listener-calls',
      promise: 'Two changes of the state a page: that it is asked for, and that it is here.',
      spec: ['R13'],
      measure: ({ costs }) => costs.stateChanges,
      allowance: 1.5,
    },
  ],
  patienceMs: 120_000,
});
