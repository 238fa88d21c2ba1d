// Stories for the tests of every renderer: one phone that makes a new key per try, and two phones that meet.
import type { Story, StoryEvent } from '../report.ts';

type Written = Pick<StoryEvent, 'atMs' | 'lane' | 'text'> & Partial<StoryEvent>;

/** An event with the usual values filled in. */
export const sampleEvent = (event: Written): StoryEvent => ({
  phone: 0,
  to: null,
  arrivesAtMs: null,
  mark: 'none',
  ...event,
});

const firstAttempt: Written[] = [
  { atMs: 0, lane: 'app', text: 'first start, storage is empty', mark: 'launch' },
  { atMs: 120, lane: 'app', text: 'saves "a" of entity 1' },
  { atMs: 121, lane: 'app', to: 'storage', arrivesAtMs: 123, text: 'setItem queue (1 pending)' },
  {
    atMs: 124,
    lane: 'app',
    to: 'server',
    arrivesAtMs: 168,
    text: '1st POST /mutations, key 7c1e',
  },
  { atMs: 168, lane: 'server', text: 'applies "a" to entity 1' },
  { atMs: 169, lane: 'server', to: 'app', text: '201, version 1', mark: 'lost' },
  { atMs: 10_124, lane: 'network', text: 'offline', mark: 'offline' },
  { atMs: 10_310, lane: 'app', text: 'by the OS, 1 pending in storage', mark: 'kill' },
  { atMs: 14_310, lane: 'app', text: 'again, 4 s later', mark: 'launch' },
  {
    atMs: 14_312,
    lane: 'storage',
    to: 'app',
    arrivesAtMs: 14_314,
    text: 'getItem queue (1 pending)',
  },
  { atMs: 22_124, lane: 'network', text: 'online', mark: 'online' },
  {
    atMs: 22_130,
    lane: 'app',
    to: 'server',
    arrivesAtMs: 22_171,
    text: '2nd POST /mutations, key b94d',
  },
  {
    atMs: 22_171,
    lane: 'server',
    text: 'applies "a" to entity 1 again: the key is new',
    mark: 'violation',
  },
  { atMs: 22_172, lane: 'server', to: 'app', arrivesAtMs: 22_214, text: '201, version 2' },
];

/** The answer is lost, the app is killed while offline, and the next launch sends the change under a new key. */
export const sampleStory: Story = {
  headline: 'The change "a" of entity 1 was applied twice, under the keys 7c1e and b94d.',
  steps: [
    'the person saves "a" of entity 1',
    'the answer to the 1st POST /mutations is lost',
    'the phone goes offline for 12 s',
    'the app is killed, and launched again 4 s later',
  ],
  events: firstAttempt.map(sampleEvent),
  reference: {
    attempt: 'sent the 2nd POST /mutations with the key b94d',
    reference: 'sent the 2nd POST /mutations with the key 7c1e, and got 200',
    atMs: 22_130,
  },
};

/** Two phones write one record; the second writes blind. Answers overtake each other. */
export const sampleTwoPhones: Story = {
  headline: 'Phone 1 shows "a", phone 2 shows "b", and both say that they are in sync.',
  steps: [
    'phone 1 saves "a"',
    'phone 2 saves "b", which overtakes it',
    'phone 1 goes offline; the answer to it is lost',
  ],
  events: [
    sampleEvent({ atMs: 5, lane: 'app', to: 'server', arrivesAtMs: 90, text: 'PUT /records/1, "a"' }),
    sampleEvent({ atMs: 30, lane: 'app', to: 'server', arrivesAtMs: 60, text: 'PUT /records/1, "b"', phone: 1 }),
    sampleEvent({ atMs: 80, lane: 'network', text: 'offline', mark: 'offline' }),
    sampleEvent({ atMs: 91, lane: 'server', to: 'app', text: '409, version 2', mark: 'lost' }),
    sampleEvent({ atMs: 140, lane: 'network', text: 'online', mark: 'online' }),
    sampleEvent({ atMs: 200, lane: 'app', text: 'shows "b", in sync', mark: 'violation', phone: 1 }),
  ],
  reference: null,
};

/** Texts that would break out of a page, a drawing, a table or a terminal if they were not escaped. */
export const hostile = '<script>alert("x")</script> & \'q\' | end; #1 `code` \u001b[31mred\u001b[0m\nsecond line ```';

/** The sample story with a hostile text in every place. */
export const hostileStory: Story = {
  headline: hostile,
  steps: [hostile, hostile],
  events: sampleStory.events.map((event) => ({ ...event, text: hostile })),
  reference: { attempt: hostile, reference: hostile, atMs: 1 },
};
