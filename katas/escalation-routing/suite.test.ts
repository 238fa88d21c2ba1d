import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type {
  Alert,
  Channel,
  Contact,
  Escalation,
  EscalationOptions,
  PolicyQuestion,
  Recipient,
} from '#contract/escalation-routing';
import { createPhone, holdAnswers, type TestPhone } from '#phone/testing';
import { createBackend, type EscalationBackend } from './backend.ts';

const API = 'https://api.oncall.test';
const SENDS = `${API}/sends`;
const EVENTS = `${API}/alerts/:id/events`;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const server = setupServer();
let phone: TestPhone;
let backend: EscalationBackend;

beforeAll(() => server.listen({ onUnhandledFrame: 'error' }));
beforeEach(() => {
  phone = createPhone();
  backend = createBackend({ ...phone.backendContext, push: () => {} });
  server.use(http.all(`${API}/*`, ({ request }) => backend.app.fetch(request)));
});
afterEach(() => {
  phone.dispose();
  server.resetHandlers();
});
afterAll(() => server.close());

// ---------------------------------------------------------------------------------------------------------------------
// mid: the first messages, the ladder, the answer

test('sends at once on the channels of the priority', { tags: ['first-messages', 'R2'] }, async () => {
  const engine = await launch();

  await engine.raise(alert('p1', { priority: 'critical', recipients: [nora] }));
  await engine.raise(alert('p2', { priority: 'high', recipients: [nora] }));
  await engine.raise(alert('p3', { priority: 'medium', recipients: [nora], text: 'Dryer filter full' }));
  await engine.raise(alert('p4', { priority: 'low', recipients: [nora] }));
  await phone.settle();

  expect(sentFor('p1')).toEqual(['0 push nora', '0 sms nora', '0 voice nora']);
  expect(sentFor('p2')).toEqual(['0 email nora', '0 push nora', '0 sms nora']);
  expect(sentFor('p3')).toEqual(['0 email nora', '0 push nora']);
  expect(sentFor('p4')).toEqual(['0 push nora']);
  expect(['p1', 'p2', 'p3', 'p4'].map((id) => attempts(engine, id, 'nora').length)).toEqual([3, 3, 2, 1]);
  expect(backend.sentFor('p3').map(({ text }) => text)).toEqual(['Dryer filter full', 'Dryer filter full']);
});

test('keeps two alerts apart', { tags: ['first-messages', 'E10'] }, async () => {
  const engine = await launch();

  await Promise.all([
    engine.raise(alert('pump', { recipients: [nora] })),
    engine.raise(alert('valve', { recipients: [nora] })),
  ]);
  await phone.settle();
  backend.acknowledge('pump', 'nora');
  await phone.push({ type: 'alert-events', alertId: 'pump' });
  await phone.pass(16 * MINUTE);

  expect(sentFor('pump')).toEqual(['0 push nora']);
  expect(sentFor('valve')).toEqual(['0 push nora', '1 push nora']);
  expect(statusOf(engine, 'pump')).toBe('acknowledged');
  expect(statusOf(engine, 'valve')).toBe('active');
});

test('keeps an alert through a kill right after raise', { tags: ['durable-before-acknowledged', 'R1'] }, async () => {
  const engine = await launch();
  await phone.goOffline();

  await engine.raise(alert('leak-7', { priority: 'medium', recipients: [nora] }));
  const relaunched = await launch();
  await phone.goOnline();

  expect(sentFor('leak-7')).toEqual(['0 email nora', '0 push nora']);
  expect(statusOf(relaunched, 'leak-7')).toBe('active');
});

test('can raise what could not be stored again', { tags: ['durable-before-acknowledged', 'R1'] }, async () => {
  const engine = await launch();
  phone.failNextWrite('full');
  await expect(engine.raise(alert('leak-13', { recipients: [nora] }))).rejects.toThrow();

  await engine.raise(alert('leak-13', { recipients: [nora] }));
  await phone.settle();

  expect(sentFor('leak-13')).toEqual(['0 push nora']);
});

test('leaves alone what others keep in the storage', { tags: ['durable-before-acknowledged', 'R1'] }, async () => {
  await phone.device.asyncStorage.setItem('theme', 'dark');
  phone.device.mmkv.set('drafts', '[]');
  const others = phone.disk.entries();

  const engine = await launch();
  await engine.raise(alert('leak-12', { recipients: [nora] }));
  const relaunched = await launch();

  expect(Object.keys(relaunched.getState().alerts)).toEqual(['leak-12']);
  expect(phone.disk.entries()).toEqual(expect.arrayContaining([...others]));
});

test('stores what changes while it stores', { tags: ['durable-before-acknowledged', 'R1'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('leak-11', { recipients: [nora] }));

  phone.holdWrites();
  await phone.settle();
  const cancelled = engine.cancel('leak-11');
  await phone.settle();
  await phone.releaseWrites();
  await cancelled;
  const relaunched = await launch();

  expect(statusOf(relaunched, 'leak-11')).toBe('cancelled');
  expect(statuses(relaunched, 'leak-11', 'nora')).toEqual(['0 push sent']);
});

test('promises and sends nothing that is not stored', { tags: ['durable-before-acknowledged', 'R1'] }, async () => {
  const engine = await launch();
  const raised: string[] = [];
  phone.failNextWrite('full');
  await expect(engine.raise(alert('leak-8', { recipients: [nora] }))).rejects.toThrow();
  await engine.raise(alert('leak-9', { recipients: [nora] }));
  await phone.pass(14.9 * MINUTE);
  const before = { shown: Object.keys(engine.getState().alerts), sent: sentFor('leak-8') };

  phone.holdWrites();
  void engine.raise(alert('leak-10', { recipients: [nora] })).then(() => raised.push('leak-10'));
  await phone.pass(0.2 * MINUTE);
  await phone.goOffline();
  const relaunched = await launch();

  expect(before).toEqual({ shown: ['leak-9'], sent: [] });
  const known = [...raised, ...backend.sent.map(({ alertId }) => alertId)];
  expect(Object.keys(relaunched.getState().alerts)).toEqual(expect.arrayContaining(known));
  const places = attempts(relaunched, 'leak-9', 'nora').map(({ stage, channel }) => `${stage} ${channel} nora`);
  expect(places).toEqual(expect.arrayContaining(sentFor('leak-9')));
});

test('shows what became of each message', { tags: ['shows-what-happened', 'R12'] }, async () => {
  const engine = await launch();
  const seen: string[] = [];
  const leave = engine.subscribe(() => seen.push(statuses(engine, 'door-3', 'nora').join()));

  await engine.raise(alert('door-3', { priority: 'medium', recipients: [nora] }));
  await phone.settle();
  const afterSending = statuses(engine, 'door-3', 'nora');
  backend.report('door-3', 'delivered', { contactId: 'nora', channel: 'email', stage: 0 });
  await phone.push({ type: 'alert-events', alertId: 'door-3' });
  await phone.settle();
  leave();
  const told = seen.length;
  await engine.raise(alert('door-5', { recipients: [nora] }));

  expect(seen).toHaveLength(told);
  expect(afterSending).toEqual(['0 email sent', '0 push sent']);
  expect(statuses(engine, 'door-3', 'nora')).toEqual(['0 email delivered', '0 push sent']);
  expect(seen.at(-1)).toBe('0 email delivered,0 push sent');
  expect(engine.getState().alerts['door-3']?.recipients.nora).toMatchObject({ stage: 0, ackedBy: null });
});

test('shows each outcome with those whom it is about', { tags: ['shows-what-happened', 'R12'] }, async () => {
  const engine = await launch();

  await engine.raise(alert('door-7', { recipients: [nora, omar] }));
  await phone.settle();
  backend.report('door-7', 'delivered', { contactId: 'omar', channel: 'push', stage: 0 });
  await phone.push({ type: 'alert-events', alertId: 'door-7' });
  await phone.settle();

  expect(statuses(engine, 'door-7', 'nora')).toEqual(['0 push sent']);
  expect(statuses(engine, 'door-7', 'omar')).toEqual(['0 push delivered']);
});

test('gives a reason for each message that it skips', { tags: ['shows-what-happened', 'R12'] }, async () => {
  backend.breakAddress('nora', 'push');
  const engine = await launch();
  refuseChannel('voice');
  await engine.raise(alert('door-8', { recipients: [nora, { ...person('rita'), emergencyContact: edda }] }));
  await engine.raise(alert('door-9', { priority: 'critical', recipients: [person('eli', 'push', 'voice')] }));
  await phone.pass(14 * MINUTE);
  backend.acknowledge('door-9', 'eli');
  await phone.pass(2 * MINUTE);
  await phone.goOffline();
  await engine.raise(alert('door-10', { recipients: [omar] }));
  await engine.cancel('door-10');

  const all = Object.values(engine.getState().alerts).flatMap(({ recipients }) => Object.values(recipients));
  const skipped = all.flatMap((recipient) => recipient.attempts).filter(({ status }) => status === 'skipped');
  const places = skipped.map(({ stage, channel, contactId }) => `${stage} ${channel} ${contactId}`);
  const noAddressDeadOrUnsent = ['0 push rita', '1 push nora', '3 voice edda', '0 voice eli', '0 push omar'];
  expect(places).toEqual(expect.arrayContaining(noAddressDeadOrUnsent));
  expect(skipped.filter(({ reason }) => !reason)).toEqual([]);
});

test('shows what has left after all when its alert is over', { tags: ['shows-what-happened', 'R12'] }, async () => {
  backend.breakAddress('nora', 'email');
  const engine = await launch();
  const road = hold('post');
  await engine.raise(alert('door-6', { priority: 'medium', recipients: [nora] }));
  await phone.settle();

  await engine.cancel('door-6');
  const atFirst = statuses(engine, 'door-6', 'nora');
  road.release();
  await phone.settle();

  expect(atFirst).toEqual(['0 email skipped', '0 push skipped']);
  expect(statuses(engine, 'door-6', 'nora')).toEqual(['0 email failed', '0 push sent']);
});

test('lets the last event about a message count', { tags: ['shows-what-happened', 'R12'] }, async () => {
  const engine = await launch();
  const place = { contactId: 'nora', stage: 0 } as const;
  await engine.raise(alert('door-4', { priority: 'critical', recipients: [person('nora', 'push', 'sms', 'voice')] }));
  await phone.settle();

  for (const kind of ['delivered', 'failed'] as const) backend.report('door-4', kind, { ...place, channel: 'sms' });
  for (const kind of ['failed', 'delivered'] as const) backend.report('door-4', kind, { ...place, channel: 'voice' });
  await phone.push({ type: 'alert-events', alertId: 'door-4' });
  await phone.settle();

  expect(statuses(engine, 'door-4', 'nora').filter((one) => !one.includes('email'))).toEqual([
    '0 push sent',
    '0 sms failed',
    '0 voice delivered',
  ]);
});

test('climbs at 15, 30 and 60 minutes and ends at 75', { tags: ['climbs-on-time', 'R5'] }, async () => {
  const engine = await launch();

  await engine.raise(alert('fire-1', { priority: 'medium', recipients: [withStandIns(nora)] }));
  const stages: string[][] = [];
  for (const minutes of [14.9, 0.2, 14.8, 0.2, 29.8, 0.2]) {
    await phone.pass(minutes * MINUTE);
    stages.push(sentFor('fire-1').slice(stages.flat().length));
  }
  await phone.pass(14.8 * MINUTE);
  const before = statusOf(engine, 'fire-1');
  await phone.pass(0.3 * MINUTE);

  expect(stages).toEqual([
    ['0 email nora', '0 push nora'],
    ['1 email nora', '1 push nora'],
    [],
    ['2 email mario', '2 push mario'],
    [],
    ['3 voice edda'],
  ]);
  expect(before).toBe('active');
  expect(statusOf(engine, 'fire-1')).toBe('exhausted');
});

test('sends nothing for a recipient at the end', { tags: ['climbs-on-time', 'R5'] }, async () => {
  const engine = await launch();
  const rita: Recipient = { ...person('rita'), emergencyContact: edda };
  server.use(
    http.post(SENDS, async ({ request }) => {
      const isForEdda = (await request.clone().text()).includes('edda');
      const busy = { status: 429, headers: { 'Retry-After': String(17 * 60) } };
      return isForEdda ? HttpResponse.json({}, busy) : backend.app.fetch(request);
    }),
  );

  await engine.raise(alert('fire-2', { recipients: [rita, nora] }));
  await phone.pass(16 * MINUTE);
  answerAgain();
  await phone.pass(3 * MINUTE);

  expect(sentFor('fire-2')).toEqual(['0 push nora', '1 push nora']);
  expect(statuses(engine, 'fire-2', 'rita')).toContain('3 voice skipped');
  expect(statusOf(engine, 'fire-2')).toBe('active');
});

test('does not climb when no ack is required', { tags: ['climbs-on-time', 'R6'] }, async () => {
  const engine = await launch();

  await engine.raise(alert('info-1', { priority: 'high', requiresAck: false, recipients: [withStandIns(nora)] }));
  await phone.settle();
  const status = statusOf(engine, 'info-1');
  await phone.goOffline();
  await engine.raise(alert('info-2', { requiresAck: false, recipients: [withStandIns(nora)] }));
  await phone.pass(2 * HOUR);
  await phone.goOnline();

  expect(status).toBe('acknowledged');
  expect(sentFor('info-1')).toEqual(['0 email nora', '0 push nora', '0 sms nora']);
  expect(sentFor('info-2')).toEqual(['0 push nora']);
});

test('ends an alert that needs no ack once nothing is left to send', { tags: ['climbs-on-time', 'R6'] }, async () => {
  const engine = await launch();
  refuseChannel('sms');

  await engine.raise(alert('info-3', { priority: 'high', requiresAck: false, recipients: [nora, mario] }));
  await phone.pass(MINUTE);
  const before = statusOf(engine, 'info-3');
  answerAgain();
  await phone.pass(MINUTE);

  expect([before, statusOf(engine, 'info-3')]).toEqual(['active', 'acknowledged']);
  expect(sentFor('info-3')).toEqual(['0 email mario', '0 email nora', '0 push mario', '0 push nora', '0 sms nora']);
});

test('takes nothing but an ack for an ack', { tags: ['only-an-ack-is-an-ack', 'R6'] }, async () => {
  const engine = await launch();

  await engine.raise(alert('gas-2', { priority: 'medium', recipients: [nora] }));
  await phone.settle();
  backend.report('gas-2', 'delivered', { contactId: 'nora', channel: 'push', stage: 0 });
  backend.report('gas-2', 'delivered', { contactId: 'nora', channel: 'email', stage: 0 });
  await phone.push({ type: 'alert-events', alertId: 'gas-2' });
  await phone.pass(16 * MINUTE);

  expect(engine.getState().alerts['gas-2']?.recipients.nora).toMatchObject({ stage: 1, ackedBy: null });
  expect(sentFor('gas-2')).toContain('1 push nora');
});

test('goes on for the others when one recipient has acked', { tags: ['acks-count-for-their-own', 'R6'] }, async () => {
  const engine = await launch();

  await engine.raise(alert('gas-3', { recipients: [nora, omar] }));
  await phone.settle();
  backend.acknowledge('gas-3', 'omar');
  await phone.push({ type: 'alert-events', alertId: 'gas-3' });
  await phone.pass(16 * MINUTE);
  const between = statusOf(engine, 'gas-3');
  backend.acknowledge('gas-3', 'nora');
  await phone.push({ type: 'alert-events', alertId: 'gas-3' });
  await phone.pass(HOUR);

  expect(sentFor('gas-3')).toEqual(['0 push nora', '0 push omar', '1 push nora']);
  expect([between, statusOf(engine, 'gas-3')]).toEqual(['active', 'acknowledged']);
});

test('takes the ack of manager and emergency contact alike', {
  tags: ['acks-count-for-their-own', 'R6'],
}, async () => {
  const engine = await launch();

  await engine.raise(alert('gas-4', { recipients: [withStandIns(nora)] }));
  await engine.raise(alert('gas-5', { recipients: [withStandIns(omar)] }));
  await phone.pass(31 * MINUTE);
  backend.acknowledge('gas-4', 'mario');
  await phone.push({ type: 'alert-events', alertId: 'gas-4' });
  await phone.pass(30 * MINUTE);
  backend.acknowledge('gas-5', 'edda');
  await phone.push({ type: 'alert-events', alertId: 'gas-5' });
  await phone.settle();

  expect(sentFor('gas-4').at(-1)).toBe('2 push mario');
  expect(engine.getState().alerts['gas-4']?.recipients.nora?.ackedBy).toBe('mario');
  expect(engine.getState().alerts['gas-5']?.recipients.omar?.ackedBy).toBe('edda');
  expect([statusOf(engine, 'gas-4'), statusOf(engine, 'gas-5')]).toEqual(['acknowledged', 'acknowledged']);
});

test('shows who was first to acknowledge', { tags: ['acks-count-for-their-own', 'R6'] }, async () => {
  const engine = await launch();

  await engine.raise(alert('gas-6', { recipients: [withStandIns(nora), withStandIns(omar)] }));
  await phone.pass(31 * MINUTE);
  for (const who of ['nora', 'mario', 'omar']) backend.acknowledge('gas-6', who);
  await phone.push({ type: 'alert-events', alertId: 'gas-6' });
  await phone.settle();

  expect(engine.getState().alerts['gas-6']).toMatchObject({
    status: 'acknowledged',
    recipients: { nora: { ackedBy: 'nora' }, omar: { ackedBy: 'mario' } },
  });
});

test('counts an ack for a recipient who was at the end', { tags: ['acks-count-for-their-own', 'R6'] }, async () => {
  const engine = await launch();

  await engine.raise(alert('gas-7', { recipients: [{ ...person('rita'), emergencyContact: edda }, nora] }));
  await phone.pass(16 * MINUTE);
  for (const who of ['edda', 'nora']) backend.acknowledge('gas-7', who);
  await phone.push({ type: 'alert-events', alertId: 'gas-7' });
  await phone.settle();

  expect(engine.getState().alerts['gas-7']).toMatchObject({
    status: 'acknowledged',
    recipients: { rita: { ackedBy: 'edda' }, nora: { ackedBy: 'nora' } },
  });
});

test('sends nothing after cancel, over restarts too', { tags: ['silent-when-over', 'R10'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('drill', { recipients: [withStandIns(nora)] }));
  await phone.pass(5 * MINUTE);

  await engine.cancel('drill');
  await phone.pass(12 * MINUTE);
  const relaunched = await launch();
  await phone.pass(HOUR);

  expect(sentFor('drill')).toEqual(['0 push nora']);
  expect(statusOf(relaunched, 'drill')).toBe('cancelled');
});

test('cancels at once, and ends the call when that is stored', { tags: ['silent-when-over', 'R10'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('drill-2', { recipients: [nora] }));
  await phone.settle();

  phone.failNextWrite('full');
  const cancelled = engine.cancel('drill-2').then(() => 'cancelled');
  const early = await Promise.race([cancelled, phone.settle().then(() => 'not stored yet')]);
  const shown = statusOf(engine, 'drill-2');
  await phone.pass(MINUTE);
  const late = await Promise.race([cancelled, phone.settle().then(() => 'not stored yet')]);

  expect([early, shown, late]).toEqual(['not stored yet', 'cancelled', 'cancelled']);
  expect(statusOf(await launch(), 'drill-2')).toBe('cancelled');
});

test('sends nothing of an alert that is cancelled while it is stored', {
  tags: ['silent-when-over', 'R10'],
}, async () => {
  const engine = await launch();

  phone.holdWrites();
  const raised = engine.raise(alert('drill-3', { recipients: [nora] }));
  const cancelled = engine.cancel('drill-3');
  await phone.settle();
  await phone.releaseWrites();
  await Promise.all([raised, cancelled]);
  await phone.pass(MINUTE);

  expect([statusOf(engine, 'drill-3'), sentFor('drill-3')]).toEqual(['cancelled', []]);
  expect(statusOf(await launch(), 'drill-3')).toBe('cancelled');
});

test('sends nothing once the alert has expired', { tags: ['silent-when-over', 'R10'] }, async () => {
  server.use(http.post(SENDS, () => json(503)));
  const engine = await launch();
  const now = Date.parse('2026-03-02T09:00:00.000Z');

  await engine.raise(alert('tide-1', { expiresAt: now + 3 * MINUTE, recipients: [nora] }));
  await phone.goOffline();
  await engine.raise(alert('tide-2', { expiresAt: now + 3.5 * MINUTE, recipients: [nora] }));
  await phone.pass(2 * MINUTE);
  await phone.goOnline();
  await phone.pass(2 * MINUTE);
  const sentLate = phone.requests.filter(({ body, atMs }) => body.includes('tide-1') && atMs >= 3 * MINUTE);

  expect(sentLate).toEqual([]);
  expect([statusOf(engine, 'tide-1'), statusOf(engine, 'tide-2')]).toEqual(['expired', 'expired']);
});

test('expires in time, though nothing else wakes it', { tags: ['silent-when-over', 'R10'] }, async () => {
  const engine = await launch();
  const expiresAt = Date.parse('2026-03-02T09:03:00.000Z');
  await engine.raise(alert('tide-3', { expiresAt, recipients: [nora] }));

  await phone.pass(2.9 * MINUTE);
  const before = statusOf(engine, 'tide-3');
  await phone.pass(0.2 * MINUTE);

  expect([before, statusOf(engine, 'tide-3')]).toEqual(['active', 'expired']);
});

test('sends and fetches nothing while offline', { tags: ['silent-offline', 'R10'] }, async () => {
  const engine = await launch();
  await phone.goOffline();

  await engine.raise(alert('roof-1', { priority: 'high', recipients: [nora] }));
  await phone.pass(12 * MINUTE);
  const sentOffline = phone.requests.length;
  await phone.goOnline('cellular');

  expect(sentOffline).toBe(0);
  expect(sentFor('roof-1')).toEqual(['0 email nora', '0 push nora', '0 sms nora']);
});

test('changes nothing for a known id, a strange one, or one that is over', {
  tags: ['ends-cleanly', 'R11'],
}, async () => {
  const engine = await launch();
  await engine.raise(alert('lift-1', { recipients: [nora] }));
  await phone.settle();
  await engine.cancel('lift-1');

  await engine.raise(alert('lift-1', { priority: 'medium', recipients: [omar] }));
  await engine.cancel('lift-1');
  await engine.cancel('lift-2');
  await engine.raise(alert('lift-2', { recipients: [nora] }));
  await engine.raise(alert('lift-8', { requiresAck: false, recipients: [nora] }));
  await phone.settle();
  await engine.cancel('lift-8');

  expect(statusOf(engine, 'lift-8')).toBe('acknowledged');
  expect([sentFor('lift-1'), sentFor('lift-2')]).toEqual([['0 push nora'], ['0 push nora']]);
  expect([statusOf(engine, 'lift-1'), statusOf(engine, 'lift-2')]).toEqual(['cancelled', 'active']);
});

test('raises an id once, however often it is asked at once', { tags: ['ends-cleanly', 'R11'] }, async () => {
  const engine = await launch();
  const asked = alert('lift-3', { recipients: [nora] });

  await Promise.all([engine.raise(asked), engine.raise(asked), engine.raise({ ...asked, recipients: [omar] })]);
  await phone.settle();

  expect(sentFor('lift-3')).toEqual(['0 push nora']);
  expect(Object.keys(engine.getState().alerts['lift-3']?.recipients ?? {})).toEqual(['nora']);
});

test('turns everybody away once it is disposed, also those who wait for start', {
  tags: ['ends-cleanly', 'R11'],
}, async () => {
  const { createEscalation } = await phone.coldStart(() => import('#attempt/escalation-routing'));
  const engine = createEscalation({ device: phone.device, apiUrl: API });
  const ended: string[] = [];
  const follow = (name: string, call: Promise<void>) => void call.catch(() => ended.push(name));
  follow('early raise', engine.raise(alert('lift-6', { recipients: [nora] })));
  follow('early cancel', engine.cancel('lift-6'));

  engine.dispose();
  follow('late raise', engine.raise(alert('lift-7', { recipients: [nora] })));
  follow('late cancel', engine.cancel('lift-7'));
  await phone.settle();

  expect(ended.sort()).toEqual(['early cancel', 'early raise', 'late cancel', 'late raise']);
  expect([phone.requests, phone.disk.entries()]).toEqual([[], []]);
});

test('ends a cancel that waits for the storage when it is disposed', { tags: ['ends-cleanly', 'R11'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('lift-9', { recipients: [nora] }));
  await phone.settle();
  phone.failNextWrite('full');
  const cancelled = engine.cancel('lift-9').then(
    () => 'resolved',
    () => 'rejected',
  );
  await phone.settle();

  engine.dispose();

  expect(await Promise.race([cancelled, phone.pass(MINUTE).then(() => 'still waits')])).toBe('rejected');
});

test('leaves no listener behind when it is disposed in the middle of start', {
  tags: ['ends-cleanly', 'R11'],
}, async () => {
  const { createEscalation } = await phone.coldStart(() => import('#attempt/escalation-routing'));
  const before = phone.listenerCount();
  const engine = createEscalation({ device: phone.device, apiUrl: API });

  engine.start().catch(() => undefined);
  engine.dispose();
  await phone.settle();

  expect(phone.listenerCount()).toBe(before);
});

test('tries nothing again that is out when it is disposed', { tags: ['ends-cleanly', 'R11'] }, async () => {
  const timersBefore = vi.getTimerCount();
  const engine = await launch();
  hold('post');
  await engine.raise(alert('lift-10', { recipients: [nora] }));
  await phone.settle();

  engine.dispose();
  await phone.pass(2 * MINUTE);

  expect([phone.requests.length, vi.getTimerCount()]).toEqual([1, timersBefore]);
});

test('leaves nothing running after dispose', { tags: ['ends-cleanly', 'R11'] }, async () => {
  const before = phone.listenerCount();
  const timersBefore = vi.getTimerCount();
  const engine = await launch();
  const whileOpen = phone.listenerCount();
  await engine.raise(alert('lift-4', { recipients: [withStandIns(nora)] }));
  await phone.pass(2 * MINUTE);

  engine.dispose();
  const timersAfter = vi.getTimerCount();
  const sentBefore = phone.requests.length;
  await phone.goOffline();
  await phone.goOnline();
  await phone.pass(2 * HOUR);

  expect(whileOpen).toBeGreaterThan(before);
  expect([phone.listenerCount(), timersAfter]).toEqual([before, timersBefore]);
  expect(phone.requests).toHaveLength(sentBefore);
  await expect(engine.raise(alert('lift-5', { recipients: [nora] }))).rejects.toThrow();
  await expect(engine.cancel('lift-4')).rejects.toThrow();
});

// ---------------------------------------------------------------------------------------------------------------------
// senior: what fails, what is late, what was killed

test('tries again with the same key', { tags: ['one-message-per-stage', 'R3'] }, async () => {
  const engine = await launch();
  server.use(http.post(SENDS, takeAndLoseAnswer, { once: true }));

  await engine.raise(alert('wind-1', { recipients: [nora] }));
  await phone.pass(30 * SECOND);

  const keys = backend.requests.map(({ key }) => key);
  expect(keys).toHaveLength(2);
  expect(new Set(keys).size).toBe(1);
  expect(sentFor('wind-1')).toEqual(['0 push nora']);
  expect(statuses(engine, 'wind-1', 'nora')).toEqual(['0 push sent']);
});

test('does not call twice when killed after the server took it', {
  tags: ['one-message-per-stage', 'E11'],
}, async () => {
  const engine = await launch();
  server.use(http.post(SENDS, takeAndNeverAnswer));

  await engine.raise(alert('wind-2', { priority: 'critical', recipients: [nora] }));
  await phone.settle();
  answerAgain();
  const relaunched = await launch();
  await phone.settle();

  expect(sentFor('wind-2')).toEqual(['0 push nora', '0 sms nora', '0 voice nora']);
  expect(statuses(relaunched, 'wind-2', 'nora')).toEqual(['0 push sent', '0 sms sent', '0 voice sent']);
});

test('takes a 202 for sent only with a JSON object', { tags: ['one-message-per-stage', 'R3'] }, async () => {
  const bodies = ['[]', 'null', '"ok"', '<html>Sign in to HotelNet</html>'];
  server.use(
    http.post(SENDS, ({ request }) => {
      const body = bodies.shift();
      return body === undefined ? backend.app.fetch(request) : new Response(body, { status: 202 });
    }),
  );
  const engine = await launch();

  await engine.raise(alert('wind-5', { recipients: [nora] }));
  await phone.settle();
  const atFirst = statuses(engine, 'wind-5', 'nora');
  await phone.pass(MINUTE);

  expect(atFirst).toEqual(['0 push sending']);
  expect(sentFor('wind-5')).toEqual(['0 push nora']);
  expect(statuses(engine, 'wind-5', 'nora')).toEqual(['0 push sent']);
});

test('keeps messages apart whose ids look alike', { tags: ['one-message-per-stage', 'R3'] }, async () => {
  const engine = await launch();

  await engine.raise(alert('hall-1', { recipients: [person('2-nora', 'push')] }));
  await engine.raise(alert('hall-12', { recipients: [person('-nora', 'push')] }));
  await engine.raise(alert('hall/3', { recipients: [person('nora', 'push')] }));
  await engine.raise(alert('hall', { recipients: [person('3/nora', 'push')] }));
  await phone.settle();

  expect(backend.sent.map(({ alertId, contactId }) => `${contactId}: ${alertId}`)).toEqual([
    '2-nora: hall-1',
    '-nora: hall-12',
    'nora: hall/3',
    '3/nora: hall',
  ]);
});

test('draws each pause within its bound', { tags: ['backs-off', 'R3'] }, async () => {
  server.use(http.post(SENDS, () => json(500)));
  const engine = await launch();

  await engine.raise(alert('wind-3', { recipients: [nora] }));
  await phone.pass(5 * MINUTE);

  const times = phone.requests.filter(({ method }) => method === 'POST').map(({ atMs }) => atMs);
  const pausesMs = times.slice(1).map((atMs, index) => atMs - Number(times[index]));
  const boundsMs = pausesMs.map((_, index) => Math.min(30 * SECOND, SECOND * 2 ** index));
  const tooLong = pausesMs.filter((pauseMs, index) => pauseMs > Number(boundsMs[index]) + 5);
  const short = pausesMs.filter((pauseMs, index) => pauseMs < 0.8 * Number(boundsMs[index]));
  expect(tooLong).toEqual([]);
  expect(short.length).toBeGreaterThan(2);
  expect(times.length).toBeGreaterThan(9);
  expect(times.length).toBeLessThan(50);
});

test('waits as long as Retry-After says', { tags: ['obeys-retry-after', 'R3'] }, async () => {
  const engine = await launch();
  backend.throttleNext(90);

  await engine.raise(alert('wind-4', { recipients: [nora] }));
  await phone.pass(89 * SECOND);
  const sentEarly = backend.requests.length;
  await phone.pass(3 * SECOND);

  expect(sentEarly).toBe(1);
  expect(sentFor('wind-4')).toEqual(['0 push nora']);
});

test('tries a fetch again that has failed', { tags: ['backs-off', 'R3'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('wind-7', { recipients: [nora] }));
  await phone.settle();
  backend.acknowledge('wind-7', 'nora');
  server.use(http.get(EVENTS, () => json(503), { once: true }));

  await phone.push({ type: 'alert-events', alertId: 'wind-7' });
  await phone.pass(3 * SECOND);

  expect(fetches()).toBe(2);
  expect(statusOf(engine, 'wind-7')).toBe('acknowledged');
});

test('fetches again no sooner than Retry-After says', { tags: ['obeys-retry-after', 'R3'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('wind-6', { recipients: [nora] }));
  await phone.pass(14 * MINUTE);
  server.use(http.get(EVENTS, () => HttpResponse.json({}, { status: 429, headers: { 'Retry-After': '120' } })));

  await phone.pass(2.9 * MINUTE);
  const early = fetches();
  answerAgain();
  await phone.pass(0.2 * MINUTE);

  expect([early, fetches()]).toEqual([1, 2]);
  expect(sentFor('wind-6')).toEqual(['0 push nora', '1 push nora']);
});

test('replaces what failed by the first channel not yet used', {
  tags: ['replaces-a-failed-channel', 'R4'],
}, async () => {
  const engine = await launch();
  backend.breakAddress('nora', 'push');

  await engine.raise(alert('ice-1', { priority: 'medium', recipients: [nora] }));
  await engine.raise(alert('ice-2', { priority: 'critical', recipients: [person('pia', 'push', 'voice', 'email')] }));
  await phone.settle();
  backend.report('ice-1', 'failed', { contactId: 'nora', channel: 'sms', stage: 0 });
  await phone.push({ type: 'alert-events', alertId: 'ice-1' });
  await phone.settle();

  expect(sentFor('ice-1')).toEqual(['0 email nora', '0 sms nora', '0 voice nora']);
  expect(statuses(engine, 'ice-1', 'nora')).toEqual(['0 email sent', '0 push failed', '0 sms failed', '0 voice sent']);
  expect(sentFor('ice-2')).toEqual(['0 email pia', '0 push pia', '0 voice pia']);
});

test('replaces the only channel of a stage as long as there is another', {
  tags: ['replaces-a-failed-channel', 'R4'],
}, async () => {
  const engine = await launch();
  for (const channel of ['push', 'sms'] as const) backend.breakAddress('nora', channel);

  await engine.raise(alert('ice-4', { recipients: [withStandIns(nora)] }));
  await phone.settle();

  expect(sentFor('ice-4')).toEqual(['0 voice nora']);
  expect(engine.getState().alerts['ice-4']?.recipients.nora?.stage).toBe(0);
});

test('counts no event again that it has counted before', { tags: ['replaces-a-failed-channel', 'E8'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('ice-5', { recipients: [nora] }));
  await phone.settle();
  const place = { contactId: 'nora', channel: 'push', stage: 0 } as const;
  for (const kind of ['failed', 'delivered'] as const) backend.report('ice-5', kind, place);
  await phone.push({ type: 'alert-events', alertId: 'ice-5' });
  await phone.settle();

  server.use(http.get(EVENTS, () => json(200, { events: backend.eventsOf('ice-5').slice(0, 1) })));
  await phone.push({ type: 'alert-events', alertId: 'ice-5' });
  await phone.settle();

  expect(statuses(engine, 'ice-5', 'nora')).toEqual(['0 push delivered']);
  expect(sentFor('ice-5')).toEqual(['0 push nora']);
});

test('replaces nothing at a stage that is over', { tags: ['replaces-a-failed-channel', 'E8'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('ice-3', { priority: 'medium', recipients: [withStandIns(nora)] }));
  await phone.pass(16 * MINUTE);

  backend.report('ice-3', 'failed', { contactId: 'nora', channel: 'email', stage: 0 });
  repeatAllEvents();
  await phone.push({ type: 'alert-events', alertId: 'ice-3' });
  await phone.push({ type: 'alert-events', alertId: 'ice-3' });
  await phone.settle();

  expect(sentFor('ice-3')).toEqual(['0 email nora', '0 push nora', '1 email nora', '1 push nora']);
  expect(statuses(engine, 'ice-3', 'nora')).toContain('0 email failed');
});

test('climbs at once when nobody can be reached', { tags: ['leaves-the-dead', 'E9', 'E7'] }, async () => {
  const engine = await launch();
  backend.breakAddress('rita', 'push');

  await engine.raise(alert('cold-1', { recipients: [withStandIns(person('rita', 'push'))] }));
  await engine.raise(alert('cold-2', { priority: 'high', recipients: [person('nobody')] }));
  await phone.pass(SECOND);
  const { 'cold-1': first, 'cold-2': second } = engine.getState().alerts;
  await phone.pass(31 * MINUTE);

  expect(first?.recipients.rita?.stage).toBe(2);
  expect(second).toMatchObject({ status: 'exhausted', recipients: { nobody: { stage: 3, ackedBy: null } } });
  expect(sentFor('cold-1')).toEqual(['2 push mario']);
  expect(statuses(engine, 'cold-1', 'rita')).toEqual([
    '0 email skipped',
    '0 push failed',
    '0 sms skipped',
    '0 voice skipped',
    '2 push sent',
  ]);
});

test('climbs at once past a manager without an address, to the end if need be', {
  tags: ['leaves-the-dead', 'R4', 'E7'],
}, async () => {
  const engine = await launch();
  const rita: Recipient = { ...person('rita'), manager: person('max'), emergencyContact: edda };

  await engine.raise(alert('cold-4', { recipients: [rita] }));
  await engine.raise(alert('cold-5', { recipients: [{ ...rita, emergencyContact: person('ed') }] }));
  await phone.pass(SECOND);

  expect(sentFor('cold-4')).toEqual(['3 voice edda']);
  expect([statusOf(engine, 'cold-4'), statusOf(engine, 'cold-5')]).toEqual(['active', 'exhausted']);
  expect(new Set(attempts(engine, 'cold-5', 'rita').map(({ stage, status }) => `${stage} ${status}`))).toEqual(
    new Set(['0 skipped', '2 skipped', '3 skipped']),
  );
});

test('leaves stage 1 out when nobody can be reached at its time', { tags: ['leaves-the-dead', 'R4'] }, async () => {
  const engine = await launch();
  const rita = withStandIns(person('rita', 'email'));
  await engine.raise(alert('cold-6', { recipients: [rita] }));
  await phone.pass(10 * MINUTE);

  backend.report('cold-6', 'failed', { contactId: 'rita', channel: 'email', stage: 0 });
  await phone.pass(6 * MINUTE);

  expect(sentFor('cold-6')).toEqual(['0 email rita', '2 push mario']);
  expect(attempts(engine, 'cold-6', 'rita').filter(({ stage }) => stage === 1)).toEqual([]);
});

test('does not try a dead address again', { tags: ['leaves-the-dead', 'R4'] }, async () => {
  const engine = await launch();
  backend.breakAddress('nora', 'sms');

  await engine.raise(alert('cold-3', { priority: 'high', recipients: [nora] }));
  await phone.pass(16 * MINUTE);

  const tried = backend.requests.filter(({ message }) => message?.channel === 'sms');
  expect(tried).toHaveLength(1);
  expect(sentFor('cold-3').slice(3)).toEqual(['1 email nora', '1 push nora', '1 voice nora']);
});

test('does not climb past an ack the server has', { tags: ['looks-before-it-climbs', 'E2'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('rust-1', { recipients: [withStandIns(nora)] }));
  await phone.pass(10 * MINUTE);

  backend.acknowledge('rust-1', 'nora');
  await phone.pass(6 * MINUTE);

  expect(sentFor('rust-1')).toEqual(['0 push nora']);
  expect(statusOf(engine, 'rust-1')).toBe('acknowledged');
});

test('begins no stage before the events could be fetched', { tags: ['looks-before-it-climbs', 'R7'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('rust-2', { recipients: [nora] }));
  await phone.pass(14 * MINUTE);

  server.use(http.get(EVENTS, () => HttpResponse.html('<html>Sign in to HotelNet</html>')));
  await phone.pass(2 * MINUTE);
  server.use(http.get(EVENTS, () => json(503, { events: [] })));
  await phone.pass(2 * MINUTE);
  const whileBlind = sentFor('rust-2');
  answerAgain();
  await phone.pass(MINUTE);

  expect(whileBlind).toEqual(['0 push nora']);
  expect(sentFor('rust-2')).toEqual(['0 push nora', '1 push nora']);
  expect(engine.getState().alerts['rust-2']?.recipients.nora?.stage).toBe(1);
});

test('looks again for a stage that comes due while a fetch is out', {
  tags: ['looks-before-it-climbs', 'R7'],
}, async () => {
  const engine = await launch();
  await engine.raise(alert('rust-4', { recipients: [nora] }));
  await phone.pass(14.9 * MINUTE);
  const road = hold('get');
  await phone.push({ type: 'alert-events', alertId: 'rust-4' });
  await phone.pass(0.2 * MINUTE);
  const before = phone.requests.length;

  road.release();
  await phone.settle();

  expect(phone.requests.slice(before).map(({ method }) => method)).toEqual(['GET', 'POST']);
  expect(sentFor('rust-4')).toEqual(['0 push nora', '1 push nora']);
});

test('does not end before the events could be fetched', { tags: ['looks-before-it-climbs', 'R7'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('rust-5', { recipients: [withStandIns(nora)] }));
  await phone.pass(74 * MINUTE);

  server.use(http.get(EVENTS, () => json(503)));
  backend.acknowledge('rust-5', 'edda');
  await phone.pass(3 * MINUTE);
  const whileBlind = statusOf(engine, 'rust-5');
  answerAgain();
  await phone.pass(MINUTE);

  expect([whileBlind, statusOf(engine, 'rust-5')]).toEqual(['active', 'acknowledged']);
});

test('fetches events on a push and for each stage, else never', {
  tags: ['fetches-for-a-reason', 'R7'],
}, async () => {
  const engine = await launch();
  await engine.raise(alert('rust-3', { recipients: [withStandIns(nora)] }));
  await phone.settle();
  const first = fetches();

  await phone.pass(14 * MINUTE);
  const quiet = fetches() - first;
  await phone.push({ type: 'alert-events', alertId: 'rust-3' });
  await phone.settle();
  const pushed = fetches() - first - quiet;
  await phone.pass(28 * MINUTE);
  const climbed = fetches() - first - quiet - pushed;

  expect({ quiet, pushed, climbed }).toEqual({ quiet: 0, pushed: 1, climbed: 2 });
});

test('fetches no events for other news', { tags: ['fetches-for-a-reason', 'R7'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('rust-6', { recipients: [nora] }));
  await phone.settle();

  await phone.goOnline('cellular');
  await phone.push({ type: 'chat', alertId: 'rust-6' });
  await phone.goToBackground();
  await phone.goOffline();
  await phone.settle();

  expect(fetches()).toBe(0);
});

test('asks for the events after the last it has', { tags: ['fetches-for-a-reason', 'R7'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('rust-7', { priority: 'medium', recipients: [nora] }));
  await phone.settle();

  for (const channel of ['push', 'email'] as const) {
    backend.report('rust-7', 'delivered', { contactId: 'nora', channel, stage: 0 });
    await phone.push({ type: 'alert-events', alertId: 'rust-7' });
    await phone.settle();
  }

  const asked = phone.requests.filter(({ method }) => method === 'GET').map(({ url }) => new URL(url).search);
  expect(asked).toEqual(['?after=0', '?after=1']);
  expect(statuses(engine, 'rust-7', 'nora')).toEqual(['0 email delivered', '0 push delivered']);
});

test('sleeps on when all there is to wait for lies months ahead', {
  tags: ['sleeps-between-stages', 'R13'],
}, async () => {
  const engine = await launch();
  const expiresAt = Date.parse('2026-09-02T09:00:00.000Z');
  await engine.raise(alert('tide-4', { expiresAt, recipients: [nora] }));
  await phone.goOffline();
  const timers = vi.spyOn(globalThis, 'setTimeout');

  await phone.pass(SECOND);
  const set = timers.mock.calls.length;
  timers.mockRestore();

  expect(set).toBeLessThan(3);
});

test('runs only the highest stage due after an hour off', { tags: ['catches-up-without-a-burst', 'E3'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('snow-1', { priority: 'medium', recipients: [withStandIns(nora)] }));
  await phone.pass(10 * MINUTE);
  keepingTime(() => phone.kill());
  await phone.pass(60 * MINUTE);

  const relaunched = await launch();
  await phone.pass(SECOND);

  expect(sentFor('snow-1')).toEqual(['0 email nora', '0 push nora', '3 voice edda']);
  const passed = attempts(relaunched, 'snow-1', 'nora').filter(({ stage }) => stage === 1 || stage === 2);
  expect(
    passed.map((one) => `${one.stage} ${one.channel} ${one.contactId} ${one.status} ${one.reason}`).sort(),
  ).toEqual([
    '1 email nora skipped late',
    '1 push nora skipped late',
    '2 email mario skipped late',
    '2 push mario skipped late',
  ]);
});

test('looks first when it comes back', { tags: ['catches-up-without-a-burst', 'R8'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('snow-2', { recipients: [withStandIns(nora)] }));
  await phone.goToBackground();
  await phone.pass(8 * MINUTE);
  backend.acknowledge('snow-2', 'nora');

  await phone.goToForeground();
  await phone.settle();
  const inFront = statusOf(engine, 'snow-2');
  await phone.goOffline();
  await engine.raise(alert('snow-4', { recipients: [withStandIns(nora)] }));
  await phone.pass(20 * MINUTE);
  const before = phone.requests.length;
  await phone.goOnline();
  await phone.settle();

  expect(inFront).toBe('acknowledged');
  expect(phone.requests[before]?.method).toBe('GET');
  expect(sentFor('snow-4')).toEqual(['1 push nora']);
  expect(statuses(engine, 'snow-4', 'nora')).toEqual(['0 push skipped', '1 push sent']);
  expect(attempts(engine, 'snow-4', 'nora').map(({ reason }) => reason)).toContain('late');
});

test('sends nothing before the look that a wake wants, not even by R4', {
  tags: ['catches-up-without-a-burst', 'R8'],
}, async () => {
  backend.breakAddress('rita', 'push');
  const engine = await launch();
  const sends = hold('post');
  await engine.raise(alert('snow-5', { recipients: [withStandIns(person('rita', 'push'))] }));
  await phone.settle();
  const looks = hold('get');
  await phone.goOffline();
  await phone.goOnline();

  sends.release();
  await phone.settle();
  const blind = sentFor('snow-5');
  looks.release();
  await phone.settle();

  expect(blind).toEqual([]);
  expect(sentFor('snow-5')).toEqual(['2 push mario']);
});

test('leaves a stage 1 late that has no channel left when stage 2 is due', {
  tags: ['catches-up-without-a-burst', 'R8'],
}, async () => {
  const engine = await launch();
  await engine.raise(alert('snow-6', { recipients: [withStandIns(person('rita', 'email'))] }));
  await phone.pass(10 * MINUTE);
  await phone.goOffline();
  backend.report('snow-6', 'failed', { contactId: 'rita', channel: 'email', stage: 0 });
  await phone.pass(21 * MINUTE);

  await phone.goOnline();
  await phone.settle();

  expect(sentFor('snow-6')).toEqual(['0 email rita', '2 push mario']);
  const first = attempts(engine, 'snow-6', 'rita').filter(({ stage }) => stage === 1);
  expect(first.map(({ channel, status, reason }) => `${channel} ${status} ${reason}`)).toEqual(['push skipped late']);
});

test('counts from raise, not from the relaunch', { tags: ['ladder-survives-a-kill', 'R5'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('snow-3', { recipients: [withStandIns(nora)] }));
  await phone.pass(12 * MINUTE);

  await launch();
  await phone.pass(2 * MINUTE);
  const before = sentFor('snow-3');
  await phone.pass(2 * MINUTE);
  const relaunched = await launch();
  await phone.pass(15 * MINUTE);

  expect(before).toEqual(['0 push nora']);
  expect(sentFor('snow-3')).toEqual(['0 push nora', '1 push nora', '2 push mario']);
  expect(relaunched.getState().alerts['snow-3']?.recipients.nora?.stage).toBe(2);
});

test('ends all tries when the ack comes in the middle of a stage', { tags: ['ack-ends-sends', 'E1'] }, async () => {
  const engine = await launch();
  const other = { ...omar, emergencyContact: edda };
  await engine.raise(alert('fog-1', { priority: 'medium', recipients: [withStandIns(nora), other] }));
  await phone.pass(29.5 * MINUTE);
  refuseChannel('email');
  await phone.pass(MINUTE);

  backend.acknowledge('fog-1', 'mario');
  await phone.push({ type: 'alert-events', alertId: 'fog-1' });
  await phone.settle();
  const sentBefore = phone.requests.filter(({ body }) => body.includes('mario')).length;
  answerAgain();
  await phone.pass(5 * MINUTE);

  expect(phone.requests.filter(({ body }) => body.includes('mario'))).toHaveLength(sentBefore);
  expect(sentFor('fog-1').filter((message) => message.startsWith('2'))).toEqual(['2 push mario']);
  expect(statuses(engine, 'fog-1', 'nora').slice(-2)).toEqual(['2 email skipped', '2 push sent']);
  expect(engine.getState().alerts['fog-1']).toMatchObject({
    status: 'active',
    recipients: { nora: { ackedBy: 'mario' }, omar: { stage: 3, ackedBy: null } },
  });
});

// ---------------------------------------------------------------------------------------------------------------------
// staff: the crisis

test('asks the policy again at the time it named', { tags: ['asks-the-policy', 'R9'] }, async () => {
  const asked: PolicyQuestion[] = [];
  const allowedAt = Date.parse('2026-03-02T09:08:00.000Z');
  const engine = await launch({
    policy: (question) => {
      asked.push(question);
      if (question.channel === 'voice') return { allowed: false, reason: 'asleep', nextAllowedAt: allowedAt + HOUR };
      if (question.channel !== 'sms' || question.at >= allowedAt) return { allowed: true };
      return { allowed: false, reason: 'in a meeting', nextAllowedAt: allowedAt };
    },
  });

  await engine.raise(alert('night-1', { priority: 'critical', recipients: [nora] }));
  await phone.settle();
  const atFirst = statuses(engine, 'night-1', 'nora');
  const road = hold('post');
  await phone.pass(9 * MINUTE);
  const onTheWay = statuses(engine, 'night-1', 'nora');
  road.release();
  await phone.settle();

  expect(onTheWay).toContain('0 sms sending');
  expect(attempts(engine, 'night-1', 'nora').find(({ channel }) => channel === 'voice')?.reason).toBe('asleep');
  expect(atFirst).toEqual(['0 email sent', '0 push sent', '0 sms deferred', '0 voice skipped']);
  expect(statuses(engine, 'night-1', 'nora')).toEqual(['0 email sent', '0 push sent', '0 sms sent', '0 voice skipped']);
  expect(asked.every(({ purpose }) => purpose === 'emergency')).toBe(true);
  expect(asked.findLast(({ channel }) => channel === 'sms')?.at).toBeGreaterThanOrEqual(allowedAt);
});

test('defers as long as no stage and no end is due before', { tags: ['asks-the-policy', 'R9'] }, async () => {
  const start = Date.parse('2026-03-02T09:00:00.000Z');
  const freeAt: Record<string, number> = {
    omar: start + 16 * HOUR,
    edda: start + 14 * MINUTE,
    egon: start + 15 * MINUTE,
  };
  const engine = await launch({
    policy: ({ contact, at }) => {
      const nextAllowedAt = freeAt[contact.id] ?? 0;
      return at < nextAllowedAt ? { allowed: false, reason: 'asleep', nextAllowedAt } : { allowed: true };
    },
  });
  const egon = person('egon', 'voice');

  await engine.raise(alert('night-4', { requiresAck: false, recipients: [omar] }));
  await engine.raise(alert('night-5', { recipients: [{ ...person('rita'), emergencyContact: edda }] }));
  await engine.raise(alert('night-6', { recipients: [{ ...person('rita'), emergencyContact: egon }] }));
  await phone.settle();
  const atFirst = [statuses(engine, 'night-4', 'omar').at(-1), statuses(engine, 'night-5', 'rita').at(-1)];
  await phone.pass(17 * HOUR);

  expect(atFirst).toEqual(['0 push deferred', '3 voice deferred']);
  expect([sentFor('night-4'), sentFor('night-5'), sentFor('night-6')]).toEqual([['0 push omar'], ['3 voice edda'], []]);
});

test('skips what the policy allows at no time ahead', { tags: ['asks-the-policy', 'R9'] }, async () => {
  const engine = await launch({
    policy: ({ channel, at }) => {
      const next = { push: null, sms: at - HOUR, voice: at, email: null }[channel];
      return channel === 'email' ? { allowed: true } : { allowed: false, reason: `no ${channel}`, nextAllowedAt: next };
    },
  });

  await engine.raise(alert('night-7', { recipients: [nora] }));
  await phone.settle();

  expect(sentFor('night-7')).toEqual(['0 email nora']);
  const skipped = attempts(engine, 'night-7', 'nora').filter(({ status }) => status === 'skipped');
  expect(skipped.map(({ channel, reason }) => `${channel}: ${reason}`).sort()).toEqual([
    'push: no push',
    'sms: no sms',
    'voice: no voice',
  ]);
});

test('tells the policy what the message is for', { tags: ['asks-the-policy', 'R9'] }, async () => {
  const asked: PolicyQuestion[] = [];
  const engine = await launch({
    policy: (question) => {
      asked.push(question);
      return { allowed: true };
    },
  });

  await engine.raise(alert('night-2', { priority: 'critical', recipients: [omar] }));
  await engine.raise(alert('night-3', { priority: 'low', recipients: [nora] }));
  await phone.settle();

  expect(asked.map(({ contact, channel, purpose }) => `${purpose}: ${channel} ${contact.id}`)).toEqual([
    'emergency: push omar',
    'service: push nora',
  ]);
});

test('repeats and drops nothing when the clock is set back', { tags: ['survives-a-clock-change', 'E4'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('dst-1', { recipients: [withStandIns(nora)] }));
  await phone.pass(16 * MINUTE);

  phone.jumpClock(-HOUR);
  const relaunched = await launch();
  await phone.pass(20 * MINUTE);
  const soon = sentFor('dst-1');
  await phone.pass(3 * HOUR);

  expect(soon.slice(0, 2)).toEqual(['0 push nora', '1 push nora']);
  expect(sentFor('dst-1')).toEqual(['0 push nora', '1 push nora', '2 push mario', '3 voice edda']);
  expect(statuses(relaunched, 'dst-1', 'nora')).toEqual(['0 push sent', '1 push sent', '2 push sent', '3 voice sent']);
  expect(statusOf(relaunched, 'dst-1')).toBe('exhausted');
});

test('still asks the manager of two when one of them has acked', { tags: ['one-person-two-roles', 'E5'] }, async () => {
  const engine = await launch();
  await engine.raise(alert('team-3', { recipients: [withStandIns(nora), withStandIns(omar)] }));
  await phone.pass(29.5 * MINUTE);
  refuseChannel('push');
  await phone.pass(MINUTE);

  backend.acknowledge('team-3', 'nora');
  await phone.push({ type: 'alert-events', alertId: 'team-3' });
  await phone.settle();
  answerAgain();
  await phone.pass(MINUTE);

  expect(sentFor('team-3').filter((message) => message.startsWith('2'))).toEqual(['2 push mario']);
  expect(engine.getState().alerts['team-3']?.recipients).toMatchObject({
    nora: { ackedBy: 'nora' },
    omar: { stage: 2, ackedBy: null },
  });
});

test('shows what became of a shared message for those who come to it later', {
  tags: ['one-person-two-roles', 'E5'],
}, async () => {
  const engine = await launch();
  const boss = person('boss', 'push', 'sms', 'voice', 'email');
  const recipients = [
    { ...person('rita'), manager: boss },
    { ...nora, manager: boss },
  ];
  await engine.raise(alert('team-4', { priority: 'critical', recipients }));
  await phone.settle();
  const place = { contactId: 'boss', stage: 2 } as const;
  backend.report('team-4', 'delivered', { ...place, channel: 'sms' });
  backend.report('team-4', 'failed', { ...place, channel: 'voice' });

  await phone.pass(31 * MINUTE);

  const shared = ['2 email sent', '2 push sent', '2 sms delivered', '2 voice failed'];
  const toBoss = backend.requests.map(({ message }) => message).filter((message) => message?.contactId === 'boss');
  expect(toBoss.map((message) => message?.channel).sort()).toEqual(['email', 'push', 'sms', 'voice']);
  expect(statuses(engine, 'team-4', 'rita').filter((one) => one.startsWith('2'))).toEqual(shared);
  expect(statuses(engine, 'team-4', 'nora').filter((one) => one.startsWith('2'))).toEqual(shared);
});

test('leaves a shared message skipped for one while it goes out for the other', {
  tags: ['one-person-two-roles', 'E5'],
}, async () => {
  const freeAt = Date.parse('2026-03-02T09:40:00.000Z');
  const engine = await launch({
    policy: ({ contact, at }) =>
      contact.id === 'mario' && at < freeAt
        ? { allowed: false, reason: 'in a meeting', nextAllowedAt: freeAt }
        : { allowed: true },
  });
  await engine.raise(alert('team-5', { recipients: [withStandIns(nora), withStandIns(omar)] }));
  await phone.pass(35 * MINUTE);
  const deferred = ['nora', 'omar'].map((who) => statuses(engine, 'team-5', who).at(-1));
  backend.acknowledge('team-5', 'nora');
  await phone.push({ type: 'alert-events', alertId: 'team-5' });

  const road = hold('post');
  await phone.pass(6 * MINUTE);
  const onTheWay = ['nora', 'omar'].map((who) => statuses(engine, 'team-5', who).at(-1));
  road.release();
  await phone.settle();

  expect([deferred, onTheWay]).toEqual([
    ['2 push deferred', '2 push deferred'],
    ['2 push skipped', '2 push sending'],
  ]);
  expect(sentFor('team-5').at(-1)).toBe('2 push mario');
});

test('replaces a shared message that the policy refuses, for those who come later too', {
  tags: ['one-person-two-roles', 'E5'],
}, async () => {
  const freeAt = Date.parse('2026-03-02T12:00:00.000Z');
  const engine = await launch({
    policy: ({ contact, channel }) =>
      contact.id === 'mario' && channel === 'push'
        ? { allowed: false, reason: 'in a meeting', nextAllowedAt: freeAt }
        : { allowed: true },
  });

  const recipients = [person('rita'), nora, omar].map(withStandIns);
  await engine.raise(alert('team-6', { recipients }));
  await phone.pass(31 * MINUTE);

  expect(sentFor('team-6').filter((message) => message.startsWith('2'))).toEqual(['2 email mario']);
  const shown = recipients.map(({ id }) => statuses(engine, 'team-6', id).filter((one) => one.startsWith('2')));
  const each = ['2 email sent', '2 push skipped', '2 sms skipped', '2 voice skipped'];
  expect(shown).toEqual([each, each, each]);
});

test('sends one message to the manager of two', { tags: ['one-person-two-roles', 'E5', 'E6'] }, async () => {
  const engine = await launch();
  const own = { ...mario, manager: mario };

  await engine.raise(alert('team-1', { recipients: [withStandIns(nora), withStandIns(omar)] }));
  await engine.raise(alert('team-2', { recipients: [own] }));
  await phone.pass(31 * MINUTE);
  backend.acknowledge('team-1', 'mario');
  await phone.push({ type: 'alert-events', alertId: 'team-1' });
  await phone.settle();

  expect(sentFor('team-1').filter((message) => message.startsWith('2'))).toEqual(['2 push mario']);
  expect(engine.getState().alerts['team-1']).toMatchObject({
    status: 'acknowledged',
    recipients: { nora: { ackedBy: 'mario' }, omar: { ackedBy: 'mario' } },
  });
  expect(sentFor('team-2')).toEqual(['0 push mario', '1 push mario', '2 push mario']);
});

// ---------------------------------------------------------------------------------------------------------------------

function person(id: string, ...channels: Channel[]): Contact {
  const addresses = Object.fromEntries(channels.map((channel) => [channel, `${channel}:${id}`]));
  return { id, timeZone: 'Europe/Vienna', addresses };
}

const nora = person('nora', 'push', 'sms', 'voice', 'email');
const omar = person('omar', 'push');
const mario = person('mario', 'push', 'email');
const edda = person('edda', 'voice');

const withStandIns = (contact: Contact): Recipient => ({ ...contact, manager: mario, emergencyContact: edda });

function alert(id: string, { recipients, ...rest }: Partial<Alert> & Pick<Alert, 'recipients'>): Alert {
  return { id, priority: 'low', text: `Alarm ${id}`, requiresAck: true, recipients, ...rest };
}

/** A kill ends the timers, and by that puts the phone's clock back to its start: it goes on where it was. */
function keepingTime<T>(end: () => T): T {
  const nowMs = Date.now();
  const ranMs = performance.now();
  const result = end();
  if (performance.now() < ranMs) vi.advanceTimersByTime(ranMs - performance.now());
  vi.setSystemTime(nowMs);
  return result;
}

async function launch(options: Partial<EscalationOptions> = {}): Promise<Escalation> {
  const { createEscalation } = await keepingTime(() => phone.coldStart(() => import('#attempt/escalation-routing')));
  const engine = createEscalation({ device: phone.device, apiUrl: API, ...options });
  await engine.start();
  await phone.settle();
  return engine;
}

/** What left the server for an alert, stage by stage: `0 push nora`. */
const sentFor = (alertId: string) =>
  backend
    .sentFor(alertId)
    .map(({ stage, channel, contactId }) => `${stage} ${channel} ${contactId}`)
    .sort();
const statusOf = (engine: Escalation, alertId: string) => engine.getState().alerts[alertId]?.status;
const attempts = (engine: Escalation, alertId: string, recipientId: string) =>
  engine.getState().alerts[alertId]?.recipients[recipientId]?.attempts ?? [];
const statuses = (engine: Escalation, alertId: string, recipientId: string) =>
  attempts(engine, alertId, recipientId)
    .map(({ stage, channel, status }) => `${stage} ${channel} ${status}`)
    .sort();
const fetches = () => phone.requests.filter(({ method }) => method === 'GET').length;

function json(status: number, body: object = { message: 'no' }): Response {
  return HttpResponse.json(body, { status });
}

async function takeAndLoseAnswer({ request }: { request: Request }): Promise<Response> {
  await backend.app.fetch(request);
  return HttpResponse.error();
}

async function takeAndNeverAnswer({ request }: { request: Request }): Promise<Response> {
  await backend.app.fetch(request);
  return new Promise(() => {});
}

function answerAgain(): void {
  server.use(http.all(`${API}/*`, ({ request }) => backend.app.fetch(request)));
}

/** The server answers as ever, but no answer to such a request is heard until it is released. */
const hold = (method: 'get' | 'post') =>
  holdAnswers(server, backend.app.fetch, { url: method === 'get' ? EVENTS : SENDS, method });

function refuseChannel(channel: Channel): void {
  server.use(
    http.post(SENDS, async ({ request }) => {
      const body = await request.clone().text();
      return body.includes(`"${channel}"`) ? json(503) : backend.app.fetch(request);
    }),
  );
}

/** The server may tell everything again, whatever was asked for. */
function repeatAllEvents(): void {
  server.use(http.get(EVENTS, ({ params }) => json(200, { events: backend.eventsOf(String(params.id)) })));
}
