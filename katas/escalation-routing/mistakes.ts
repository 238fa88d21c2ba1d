// Wrong turns that the grade must catch, each by the criterion that names it.
import { type LazyAttempt, lazyAttempts, type Mistake } from '#course';

export const mistakes: Mistake[] = [
  {
    id: 'one-channel-at-a-time',
    title: 'Sends on the first channel of the priority only, and keeps the others for later.',
    criterion: 'first-messages',
    edits: [
      {
        find: `stage === 3 ? ['voice'] : CHANNELS[alert.priority];`,
        replace: `stage === 3 ? ['voice'] : CHANNELS[alert.priority].slice(0, 1);`,
      },
    ],
  },
  {
    id: 'raise-not-stored',
    title: 'Keeps a new alert in memory until its first change.',
    criterion: 'durable-before-acknowledged',
    edits: [
      {
        find: 'disk.setItem(PLACES + alert.id, JSON.stringify(opened)).then(() => {',
        replace: 'Promise.resolve().then(() => {',
      },
    ],
  },
  {
    id: 'sent-before-stored',
    title: 'Sends while the alert is still being stored.',
    criterion: 'durable-before-acknowledged',
    edits: [
      {
        find: `    const stored = disk.setItem(PLACES + alert.id, JSON.stringify(opened)).then(() => {
      change(alert.id, opened);
    });`,
        replace: `    change(alert.id, opened);
    const stored = disk.setItem(PLACES + alert.id, JSON.stringify(opened));`,
      },
    ],
  },
  {
    id: 'stage-sent-before-stored',
    title: 'Sends a stage while it is still being stored.',
    criterion: 'durable-before-acknowledged',
    edits: [
      {
        find: 'if (watch.isBlind || saves.has(id) || cancelling.has(id)) return;',
        replace: 'if (watch.isBlind || cancelling.has(id)) return;',
      },
    ],
  },
  {
    id: 'subscribers-not-told',
    title: 'Never tells its subscribers of a change.',
    criterion: 'shows-what-happened',
    edits: [{ find: 'for (const listener of listeners) listener();', replace: '' }],
  },
  {
    id: 'portal-taken-for-sent',
    title: 'Takes every 2xx for sent, also the page of a captive portal.',
    criterion: 'shows-what-happened',
    edits: [{ find: 'if (status === 202 && isObject(body))', replace: 'if (status !== null && status < 300)' }],
  },
  {
    id: 'no-end',
    title: 'Waits for an answer for ever once the emergency contact was called.',
    criterion: 'climbs-on-time',
    edits: [
      {
        find: 'const isAtEnd = lookedAt >= endAt(of, now);',
        replace: 'const isAtEnd = now.stage > 3;',
      },
    ],
  },
  {
    id: 'pauses-added-up',
    title: 'Takes the times of the ladder for pauses between the stages.',
    criterion: 'climbs-on-time',
    edits: [
      {
        find: '[0, 15 * MINUTE_MS, 30 * MINUTE_MS, 60 * MINUTE_MS]',
        replace: '[0, 15 * MINUTE_MS, 45 * MINUTE_MS, 105 * MINUTE_MS]',
      },
    ],
  },
  {
    id: 'delivered-taken-for-acked',
    title: 'Takes a delivered message for an answer.',
    criterion: 'only-an-ack-is-an-ack',
    edits: [{ find: `if (event.kind !== 'acked') {`, replace: `if (event.kind === 'failed') {` }],
  },
  {
    id: 'one-ack-for-all',
    title: 'Ends the ladders of all recipients when one of them has acked.',
    criterion: 'acks-count-for-their-own',
    edits: [
      {
        find: 'if (!isMeant || ladder.ackedBy !== null) return ladder;',
        replace: 'if (ladder.ackedBy !== null) return ladder;',
      },
    ],
  },
  {
    id: 'recipient-alone-may-ack',
    title: 'Ignores the ack of manager and emergency contact.',
    criterion: 'acks-count-for-their-own',
    edits: [
      {
        find: 'peopleOf(recipient).some(({ id }) => id === event.contactId)',
        replace: 'recipient.id === event.contactId',
      },
    ],
  },
  {
    id: 'expired-goes-on',
    title: 'Goes on with an alert that has expired.',
    criterion: 'silent-when-over',
    edits: [
      {
        find: `if (nowMs >= (now.alert.expiresAt ?? Number.POSITIVE_INFINITY)) return close(now, 'expired');`,
        replace: '',
      },
    ],
  },
  {
    id: 'cancelled-in-memory',
    title: 'Cancels in memory, so that a restart goes on.',
    criterion: 'silent-when-over',
    edits: [
      {
        find: `update(alertId, (now) => (now.status === 'active' ? close(now, 'cancelled') : now));`,
        replace: `const now = cases.get(alertId);
    if (now?.status === 'active') change(alertId, close(now, 'cancelled'));`,
      },
    ],
  },
  {
    id: 'sends-offline',
    title: 'Does not ask whether the phone is online.',
    criterion: 'silent-offline',
    edits: [
      {
        find: 'if (isOnline) for (const one of cases.values())',
        replace: 'if (isOnline !== null) for (const one of cases.values())',
      },
    ],
  },
  {
    id: 'listeners-leak',
    title: 'Leaves its listeners behind at dispose.',
    criterion: 'ends-cleanly',
    edits: [{ find: 'for (const stop of stops) stop();', replace: '' }],
  },
  {
    id: 'rejection-unhandled',
    title: 'Lets a failed request reject where nobody listens.',
    criterion: 'ends-cleanly',
    edits: [
      {
        find: `    } catch {
      return { status: null, body: null, retryAfterMs: null };`,
        replace: `    } catch (error) {
      throw error;`,
      },
    ],
  },
  {
    id: 'new-key-on-restart',
    title: 'Makes other keys after a restart, so that people are called twice.',
    criterion: 'one-message-per-stage',
    edits: [
      {
        find: '[id, contactId, channel, stage].map(encodeURIComponent)',
        replace: '[LAUNCH, id, contactId, channel, stage].map(encodeURIComponent)',
      },
      {
        find: 'const ALLOWED: PolicyAnswer = { allowed: true };',
        replace: `const ALLOWED: PolicyAnswer = { allowed: true };
const LAUNCH = crypto.randomUUID();`,
      },
    ],
  },
  {
    id: 'new-key-per-try',
    title: 'Makes a new key for every try.',
    criterion: 'one-message-per-stage',
    edits: [{ find: `'Idempotency-Key': key }`, replace: `'Idempotency-Key': crypto.randomUUID() }` }],
  },
  {
    id: 'no-jitter',
    title: 'Takes the whole pause every time.',
    criterion: 'backs-off',
    edits: [{ find: '  Math.random() * Math.min(', replace: '  Math.min(' }],
  },
  {
    id: 'no-cap',
    title: 'Doubles the pause without end.',
    criterion: 'backs-off',
    edits: [
      {
        find: 'Math.min(BACKOFF_CAP_MS, BACKOFF_FIRST_MS * 2 ** (failures - 1))',
        replace: '(BACKOFF_FIRST_MS * 2 ** (failures - 1))',
      },
    ],
  },
  {
    id: 'no-growth',
    title: 'Takes the same short pause after every failure.',
    criterion: 'backs-off',
    edits: [{ find: 'BACKOFF_FIRST_MS * 2 ** (failures - 1)', replace: 'BACKOFF_FIRST_MS' }],
  },
  {
    id: 'retry-after-ignored',
    title: 'Does not look at Retry-After.',
    criterion: 'obeys-retry-after',
    edits: [{ find: '(retryAfterMs ?? backoffMs(failures))', replace: 'backoffMs(failures)' }],
  },
  {
    id: 'no-fallback',
    title: 'Leaves a failed channel without a replacement.',
    criterion: 'replaces-a-failed-channel',
    edits: [
      {
        find: 'return FALLBACK_ORDER.find((channel) => here.every((attempt) => attempt.channel !== channel));',
        replace: 'return undefined;',
      },
    ],
  },
  {
    id: 'between-two-channels',
    title: 'Goes back and forth between push and sms when both fail.',
    criterion: 'replaces-a-failed-channel',
    edits: [
      {
        find: 'return FALLBACK_ORDER.find((channel) => here.every((attempt) => attempt.channel !== channel));',
        replace: `return here.length > 12 ? undefined : here.at(-1)?.channel === 'push' ? 'sms' : 'push';`,
      },
    ],
  },
  {
    id: 'failed-event-not-mended',
    title: 'Shows a message that was reported as failed, and sends nothing in its place.',
    criterion: 'replaces-a-failed-channel',
    edits: [
      {
        find: `const isAlive = ({ status }: Attempt) => status !== 'failed' && status !== 'skipped';`,
        replace: `const isAlive = ({ status, reason }: Attempt) => status !== 'skipped' && reason !== 'refused';`,
      },
    ],
  },
  {
    id: 'waits-among-the-dead',
    title: 'Waits for the time of the next stage although nobody can be reached.',
    criterion: 'leaves-the-dead',
    edits: [
      {
        find: 'of.alert.requiresAck && (!contact || isSpent(now)) ?',
        replace: 'of.alert.requiresAck && now.stage === 3 && (!contact || isSpent(now)) ?',
      },
    ],
  },
  {
    id: 'dead-tried-again',
    title: 'Sends to a dead address again at the next stage.',
    criterion: 'leaves-the-dead',
    edits: [
      {
        find: `return isDead ? { ...place, status: 'skipped', reason: 'dead address' } : { ...place, status: 'sending' };`,
        replace: `return { ...place, status: isDead ? 'sending' : 'sending' };`,
      },
    ],
  },
  {
    id: 'climbs-without-looking',
    title: 'Begins a stage when its time has come, without asking the server.',
    criterion: 'looks-before-it-climbs',
    edits: [
      {
        find: 'update(id, (now) => advance(now, nowMs));',
        replace: 'update(id, (now) => advance(now, nowMs, isOnline ? nowMs : undefined));',
      },
    ],
  },
  {
    id: 'climbs-when-the-look-fails',
    title: 'Begins a stage also when the events could not be fetched.',
    criterion: 'looks-before-it-climbs',
    edits: [
      {
        find: `      watch.isLookWanted = true;
      watch.lookNotBefore`,
        replace: `      update(alertId, (now) => advance(now, Date.now(), lookedAt));
      watch.isLookWanted = true;
      watch.lookNotBefore`,
      },
    ],
  },
  {
    id: 'whole-backlog',
    title: 'Runs every stage that was missed, one after the other.',
    criterion: 'catches-up-without-a-burst',
    edits: [
      {
        find: 'const next = toStage(Math.max(due, forced));',
        replace: 'const next = toStage(Math.max(Math.min(due, now.stage + 1), forced));',
      },
      { find: `const before = endUnsent(ladder, 'late').attempts;`, replace: 'const before = ladder.attempts;' },
    ],
  },
  {
    id: 'overtaken-goes-on',
    title: 'Goes on trying the messages of a stage that a higher one has overtaken.',
    criterion: 'catches-up-without-a-burst',
    edits: [{ find: `const before = endUnsent(ladder, 'late').attempts;`, replace: 'const before = ladder.attempts;' }],
  },
  {
    id: 'sends-before-looking',
    title: 'Sends what was waiting as soon as it wakes, and looks at the same time.',
    criterion: 'catches-up-without-a-burst',
    edits: [{ find: 'if (watch.isBlind || saves.has(id)', replace: 'if (saves.has(id)' }],
  },
  {
    id: 'asleep-in-the-foreground',
    title: 'Does not look for news when it comes back to the foreground.',
    criterion: 'catches-up-without-a-burst',
    edits: [{ find: `if (state === 'active') wake();`, replace: `if (state === 'active') pump();` }],
  },
  {
    id: 'ladder-in-memory',
    title: 'Stores the alert, and keeps how far it has got in memory.',
    criterion: 'ladder-survives-a-kill',
    edits: [
      { find: 'await disk.setItem(PLACES + alertId, JSON.stringify(snapshot));', replace: 'await Promise.resolve();' },
    ],
  },
  {
    id: 'counted-from-relaunch',
    title: 'Counts the ladder from the relaunch.',
    criterion: 'ladder-survives-a-kill',
    edits: [
      {
        find: 'cases.set(stored.alert.id, stored);',
        replace: 'cases.set(stored.alert.id, { ...stored, raisedAt: Date.now() });',
      },
    ],
  },
  {
    id: 'tries-go-on-after-ack',
    title: 'Stops climbing at an ack, and lets the tries of the present stage go on.',
    criterion: 'ack-ends-sends',
    edits: [
      {
        find: `return { ...endUnsent(ladder, 'acknowledged'), ackedBy: event.contactId };`,
        replace: 'return { ...ladder, ackedBy: event.contactId };',
      },
    ],
  },
  {
    id: 'policy-asked-at-raise',
    title: 'Asks the policy for the time of raise.',
    criterion: 'asks-the-policy',
    edits: [{ find: 'at: nowMs })', replace: 'at: one.raisedAt })' }],
  },
  {
    id: 'policy-never-defers',
    title: 'Skips what the policy would allow a little later.',
    criterion: 'asks-the-policy',
    edits: [
      {
        find: `status: canWait(ladder) ? 'deferred' : 'skipped'`,
        replace: `status: canWait(ladder) ? 'skipped' : 'skipped'`,
      },
    ],
  },
  {
    id: 'clock-repeats-a-stage',
    title: 'Falls back to an earlier stage when the clock is set back.',
    criterion: 'survives-a-clock-change',
    edits: [
      {
        find: 'of.alert.requiresAck ? highestDue(of, lookedAt) : 0;',
        replace: 'Number.isFinite(lookedAt) ? highestDue(of, lookedAt) : ladder.stage;',
      },
      { find: 'if (next > now.stage) {', replace: 'if (next !== now.stage) {' },
    ],
  },
  {
    id: 'message-per-recipient',
    title: 'Sends the manager of two recipients one message for each.',
    criterion: 'one-person-two-roles',
    edits: [
      {
        find: 'const key = keyOf(one.alert, attempt);',
        replace: `const key = \`\${recipient.id}/\${keyOf(one.alert, attempt)}\`;`,
      },
    ],
  },
  {
    id: 'refusal-heard-by-one',
    title: 'Tells only the first recipient of a shared message that the policy has refused it.',
    criterion: 'one-person-two-roles',
    edits: [
      { find: `(attempt.status === 'deferred' && nowMs < hold.allowedAt)`, replace: 'nowMs < hold.allowedAt' },
      {
        find: 'return settleSend(id, attempt, isUnsent, outcomeFor);',
        replace: `return update(id, (now) =>
        advance(
          mapLadders(now, (ladder, { id: who }) =>
            who === recipient.id ? settle(ladder, attempt, outcomeFor(ladder), isUnsent) : ladder,
          ),
          nowMs,
        ),
      );`,
      },
    ],
  },
  {
    id: 'polls',
    title: 'Asks for acks every five seconds.',
    criterion: 'fetches-for-a-reason',
    edits: [
      { find: '(watch.isLookWanted || isDue) && mayLook', replace: '(isDue || mayLook) && mayLook' },
      {
        find: 'watch.failedLooks = 0;',
        replace: `watch.failedLooks = 0;
      watch.lookNotBefore = performance.now() + 5_000;`,
      },
    ],
  },
  {
    id: 'pushes-ignored',
    title: 'Does not listen to pushes, and learns of acks at the next stage.',
    criterion: 'fetches-for-a-reason',
    edits: [
      {
        find: `if (content.data.type === 'alert-events') look(String(content.data.alertId));`,
        replace: `if (content.data.type === 'none') look(String(content.data.alertId));`,
      },
    ],
  },
  {
    id: 'writes-twice',
    title: 'Writes every change twice.',
    criterion: 'spends-little',
    edits: [
      {
        find: 'await disk.setItem(PLACES + alertId, JSON.stringify(snapshot));',
        replace: `await disk.setItem(PLACES + alertId, JSON.stringify(snapshot));
        await disk.setItem(PLACES + alertId, JSON.stringify(snapshot));`,
      },
    ],
  },
  {
    id: 'wakes-every-minute',
    title: 'Wakes the phone every minute to see what is due.',
    criterion: 'sleeps-between-stages',
    edits: [
      {
        find: 'setTimeout(pump, Math.min(Math.ceil(nextMs), TIMER_MAX_MS))',
        replace: 'setTimeout(pump, Math.min(Math.ceil(nextMs), 60_000))',
      },
    ],
  },
];

const HEAD = `import type { Alert, CreateEscalation, EscalationState } from '#contract/escalation-routing';
`;

export const lazy: LazyAttempt[] = [
  ...lazyAttempts({
    slug: 'escalation-routing',
    create: 'createEscalation',
    state: { type: 'EscalationState', whenDone: '{ alerts: {} }', whenWaiting: '{ alerts: {} }' },
    promises: { start: '', raise: '', cancel: '' },
  }),
  {
    id: 'tight-loop',
    title: 'Sends again and again without a pause until somebody acks.',
    source: `${HEAD}
export const createEscalation: CreateEscalation = ({ apiUrl }) => {
  const alerts: EscalationState['alerts'] = {};
  let isOver = false;
  const send = async (alert: Alert) => {
    for (const { id } of alert.recipients) {
      await fetch(apiUrl + '/sends', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': alert.id + id },
        body: JSON.stringify({ alertId: alert.id, contactId: id, channel: 'push', stage: 0, text: alert.text }),
      }).catch(() => null);
    }
    if (!isOver) setTimeout(send, 0, alert);
  };
  return {
    start: async () => {},
    raise: async (alert) => void send(alert),
    cancel: async () => {},
    getState: () => ({ alerts }),
    subscribe: () => () => {},
    dispose: () => {
      isOver = true;
    },
  };
};
`,
  },
  {
    id: 'by-heart',
    title: 'Knows the examples of the suite: sends what each wants to see, climbs by timers, keeps nothing.',
    source: `${HEAD}
const CHANNELS = { critical: ['push', 'sms', 'voice'], high: ['push', 'sms', 'email'], medium: ['push', 'email'], low: ['push'] } as const;
const EXPIRED = ['tide-1', 'tide-2'];

export const createEscalation: CreateEscalation = ({ apiUrl, device }) => {
  const alerts: Record<string, EscalationState['alerts'][string]> = {};
  const listeners = new Set<() => void>();
  const timers: ReturnType<typeof setTimeout>[] = [];
  let isDisposed = false;
  const post = (alert: Alert, contactId: string, channel: string, stage: number) => {
    if (isDisposed || alerts[alert.id]?.status !== 'active') return;
    void fetch(apiUrl + '/sends', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': [alert.id, contactId, channel, stage].join() },
      body: JSON.stringify({ alertId: alert.id, contactId, channel, stage, text: alert.text }),
    }).catch(() => null);
  };
  const later = (minutes: number, run: () => void) => timers.push(setTimeout(run, minutes * 60_000));
  return {
    start: async () => {},
    raise: async (alert) => {
      if (isDisposed) throw new Error('disposed');
      await device.asyncStorage.setItem(alert.id, JSON.stringify(alert));
      const recipients = Object.fromEntries(alert.recipients.map(({ id }) => [id, { stage: 0 as const, ackedBy: null, attempts: [] }]));
      alerts[alert.id] = { status: EXPIRED.includes(alert.id) ? 'expired' : 'active', recipients };
      for (const { id, manager, emergencyContact } of alert.recipients) {
        for (const channel of CHANNELS[alert.priority]) {
          post(alert, id, channel, 0);
          later(15, () => post(alert, id, channel, 1));
          if (manager) later(30, () => post(alert, manager.id, channel, 2));
        }
        if (emergencyContact) later(60, () => post(alert, emergencyContact.id, 'voice', 3));
      }
      later(75, () => {
        alerts[alert.id] = { status: 'exhausted', recipients };
      });
      for (const listener of listeners) listener();
    },
    cancel: async (alertId) => {
      alerts[alertId] = { status: 'cancelled', recipients: {} };
    },
    getState: () => ({ alerts }),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    dispose: () => {
      isDisposed = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
};
`,
  },
];
