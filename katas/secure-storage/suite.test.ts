import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Vault, VaultOptions } from '#contract/secure-storage';
import { createPhone, type TestPhone } from '#phone/testing';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const FINDING = 'Haemoglobin 9.1 g/dl, ferritin low: iron for three months, then again.';
const LETTER = 'Dear colleague, thank you for sending us Mr K., whose knee has been swollen since May.';
/** Long enough to be damaged in its middle, whatever stands before and behind it. */
const REPORT = 'The scan shows no fracture. '.repeat(12);

type Entry = ReturnType<TestPhone['disk']['entries']>[number];

let phone: TestPhone;

beforeEach(() => {
  phone = createPhone();
});
afterEach(() => {
  vi.restoreAllMocks();
  phone.dispose();
});

// ---------------------------------------------------------------------------------------------------------------------
// mid: kept for the owner, and for nobody else

test('gives back what was put, after a restart as before, and tells its state', {
  tags: ['keeps-values', 'R13'],
}, async () => {
  const vault = await launch();
  const heard: string[] = [];
  const leave = vault.subscribe(() => heard.push(vault.getState().status));
  const atFirst = vault.getState();
  await vault.unlock();
  const unlocked = vault.getState();

  const before = await vault.get('finding');
  void vault.put('finding', 'a first draft');
  void vault.remove('finding');
  void vault.put('finding', FINDING);
  const atOnce = await vault.get('finding');
  for (const name of ['letter', 'gone']) await vault.put(name, LETTER);
  for (const name of ['gone', 'never there']) await vault.remove(name);
  vault.lock();
  leave();
  await vault.unlock();
  const relaunched = await opened();

  const locked = { status: 'locked', keyVersion: null, rotation: 'none', unreadable: [] };
  expect([atFirst, unlocked]).toEqual([locked, { ...locked, status: 'unlocked', keyVersion: 1 }]);
  expect([...new Set(heard), heard.at(-1)]).toEqual(['unlocked', 'locked', 'locked']);
  expect([before, atOnce]).toEqual([null, FINDING]);
  expect((await relaunched.names()).sort()).toEqual(['finding', 'letter']);
  expect(await valuesOf(relaunched, ['finding', 'letter', 'gone'])).toEqual([FINDING, LETTER, null]);
});

test('takes any name and any text', { tags: ['keeps-values', 'E3', 'E4', 'E5'] }, async () => {
  const values: [string, string][] = [
    ['2026/03/scan of the knee', ''],
    ['Befund 🦴.txt', '温度 38,5 °C — "high"\n\u0000'],
    ['__proto__', 'a'],
    ['constructor', '{"value":null}'],
    ['vault.health', 'null'],
    ['x-ray', 'x'.repeat(1_048_576)],
  ];
  const vault = await opened();

  for (const [name, value] of values) await vault.put(name, value);
  const relaunched = await opened();

  expect((await relaunched.names()).sort()).toEqual(values.map(([name]) => name).sort());
  for (const [name, value] of values) expect((await relaunched.get(name)) === value, name).toBe(true);
  expect(await valuesOf(relaunched, ['toString', '2026'])).toEqual([null, null]);
});

test('stores and logs no text, and writes the same one differently each time', {
  tags: ['no-plain-text', 'R1'],
}, async () => {
  const said = (['log', 'info', 'warn', 'error', 'debug'] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation(() => undefined),
  );
  const vault = await opened();

  await vault.put('finding', FINDING);
  const first = ordinary();
  await vault.put('finding', FINDING);
  await vault.get('finding');
  const second = ordinary();

  const stored = JSON.stringify([first, phone.disk.entries(), said.flatMap(({ mock }) => mock.calls)]);
  expect(encodingsOf(FINDING.slice(0, 30)).filter((text) => stored.includes(text))).toEqual([]);
  expect(placesOf(second)).toEqual(placesOf(first));
  expect(second).not.toEqual(first);
});

test('keeps its keys in the key item, and makes them by chance', {
  tags: ['keys-in-the-keychain', 'R1', 'R3'],
}, async () => {
  const vault = await opened();

  await vault.put('finding', FINDING);
  const [first = ''] = keysIn('health');
  const usedFirst = usedKeys();
  const open = JSON.stringify([ordinary(), phone.disk.secureStore.keys()]);
  await vault.wipe();
  await vault.unlock();
  await vault.put('finding', FINDING);

  expect(usedFirst).toEqual([first]);
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect(encodingsOf(Buffer.from(first, 'hex')).filter((text) => open.includes(text))).toEqual([]);
  expect(usedKeys()).toEqual([first, ...keysIn('health')]);
  expect(keysIn('health')).not.toEqual([first]);
});

test('encrypts with AES-256-GCM, and nothing else', { tags: ['authenticated-cipher', 'R2'] }, async () => {
  const vault = await opened();

  await vault.put('finding', FINDING);
  await vault.put('nothing', '');
  await vault.rotate();

  const shapes = encryptions().map(({ algorithm, key, nonce }) => [
    algorithm,
    key.length / 2,
    (nonce ?? '').length / 2,
  ]);
  expect(shapes.length).toBeGreaterThanOrEqual(4);
  expect(new Set(shapes.map(String))).toEqual(new Set(['aes-256-gcm,32,12']));
});

test('guards the key item by the owner and binds it to this phone', {
  tags: ['guarded-key', 'R3', 'R4'],
}, async () => {
  const vault = await opened();
  const atFirst = rulesOf('health');
  await vault.put('finding', FINDING);
  await vault.rotate();

  const { WHEN_UNLOCKED_THIS_DEVICE_ONLY, WHEN_PASSCODE_SET_THIS_DEVICE_ONLY } = phone.device.secureStore;
  const allowed = [WHEN_UNLOCKED_THIS_DEVICE_ONLY, WHEN_PASSCODE_SET_THIS_DEVICE_ONLY];
  for (const rules of [atFirst, rulesOf('health')]) {
    expect(rules.requireAuthentication).toBe(true);
    expect(allowed).toContain(rules.keychainAccessible);
  }
  expect(phone.disk.secureStore.keys()).toEqual(['vault.health']);
});

test('prompts once for all who unlock, and not again until locked', { tags: ['one-prompt', 'R3', 'R4'] }, async () => {
  const first = await create();
  await Promise.all([first.start(), first.unlock(), first.unlock()]);
  await first.put('finding', FINDING);
  const asked = [phone.promptCount(), keysIn('health').length];

  const vault = await create();
  void vault.start();
  await Promise.all([vault.unlock(), vault.unlock(), vault.unlock()]);
  await vault.unlock();
  const read = await vault.get('finding');
  await vault.put('letter', LETTER);
  await vault.rotate();
  const afterWork = phone.promptCount();
  vault.lock();
  await vault.unlock();

  expect(asked).toEqual([0, 1]);
  expect([read, afterWork, phone.promptCount()]).toEqual([FINDING, 1, 2]);
});

test('stays locked when the prompt fails, and asks no more by itself', {
  tags: ['takes-no-for-an-answer', 'R4'],
}, async () => {
  await (await opened()).put('finding', FINDING);
  const vault = await launch();
  const seen: (string | number)[] = [];

  for (const error of ['user_cancel', 'system_cancel', 'authentication_failed', 'lockout'] as const) {
    phone.answerPrompts({ success: false, error });
    seen.push(...(await Promise.all([codeOf(vault.unlock()), codeOf(vault.unlock())])));
    await phone.pass(10 * MINUTE);
    seen.push(vault.getState().status, await codeOf(vault.get('finding')), phone.promptCount());
  }
  phone.answerPrompts({ success: true });
  await phone.lockScreen();
  seen.push(await codeOf(vault.unlock()), vault.getState().status);
  await phone.unlockScreen();
  await vault.unlock();

  expect(seen).toEqual([
    ...['cancelled', 'cancelled', 'locked', 'locked', 1],
    ...['cancelled', 'cancelled', 'locked', 'locked', 2],
    ...['cancelled', 'cancelled', 'locked', 'locked', 3],
    ...['locked-out', 'locked-out', 'locked', 'locked', 4],
    ...['storage-failed', 'locked'],
  ]);
  expect(await vault.get('finding')).toBe(FINDING);
});

test('is unavailable where nobody can be recognised, and stores nothing', {
  tags: ['takes-no-for-an-answer', 'R4'],
}, async () => {
  phone.setBiometrics({ isEnrolled: false });
  const vault = await launch();

  const ends = [await codeOf(vault.unlock()), vault.getState().status, await codeOf(vault.put('finding', FINDING))];
  const stored = phone.disk.secureStore.keys();
  phone.setBiometrics({ isEnrolled: true });
  await vault.unlock();
  await vault.put('finding', FINDING);

  expect(ends).toEqual(['unavailable', 'unavailable', 'unavailable']);
  expect(stored).toEqual([]);
  expect(vault.getState().status).toBe('unlocked');
});

test('gives nothing and takes nothing while locked', { tags: ['locked-is-locked', 'R5'] }, async () => {
  const vault = await opened();
  await vault.put('finding', FINDING);
  await vault.put('letter', LETTER);
  await vault.get('finding');
  const callsBefore = phone.cipherCalls.length;

  vault.lock();
  const locked = await Promise.all([vault.get('finding'), vault.put('letter', 'x'), vault.rotate()].map(codeOf));
  await vault.remove('letter');
  const seen = [await vault.names(), phone.cipherCalls.length - callsBefore];
  await vault.unlock();
  phone.holdWrites();
  const rotating = codeOf(vault.rotate());
  await phone.settle();
  vault.lock();
  await phone.releaseWrites();
  await rotating;
  const afterRotation = vault.getState();
  const relaunched = await launch();

  expect(locked).toEqual(['locked', 'locked', 'locked']);
  expect([await codeOf(relaunched.get('finding')), relaunched.getState().status]).toEqual(['locked', 'locked']);
  expect(seen).toEqual([['finding'], 0]);
  expect(afterRotation).toEqual({ status: 'locked', keyVersion: null, rotation: 'none', unreadable: [] });
});

test('ends for good when disposed', { tags: ['ends-cleanly', 'R14'] }, async () => {
  const vault = await opened();
  await vault.put('finding', FINDING);

  vault.dispose();
  const calls = [vault.start(), vault.unlock(), vault.get('finding'), vault.put('a', 'b'), vault.names(), vault.wipe()];
  const ends = await Promise.all(calls.map(codeOf));
  const listeners = phone.listenerCount();
  const relaunched = await opened();

  expect(ends).toEqual(Array(6).fill('disposed'));
  expect(listeners).toBe(0);
  expect(await relaunched.get('finding')).toBe(FINDING);
});

// ---------------------------------------------------------------------------------------------------------------------
// senior: the background, forgers, kills, lost keys

test('locks after a while in the background, though timers stand still there', {
  tags: ['locks-in-the-background', 'R5'],
}, async () => {
  const vault = await opened();
  const seen: string[] = [];

  for (const awayMs of [5 * MINUTE - SECOND, 3 * MINUTE, 5 * MINUTE]) {
    await phone.pass(MINUTE);
    await phone.goToBackground();
    await phone.pass(awayMs);
    await phone.goToForeground();
    seen.push(vault.getState().status, await codeOf(vault.get('finding')));
  }

  expect(seen).toEqual(['unlocked', 'ok', 'unlocked', 'ok', 'locked', 'locked']);
});

test('locks after the time it was given, and when the clock was set back', {
  tags: ['locks-in-the-background', 'R5', 'E15'],
}, async () => {
  const vault = await opened({ lockAfterMs: 20 * SECOND });
  const seen: unknown[] = [];

  for (const [awayMs, jumpMs] of [
    [19 * SECOND, 0],
    [20 * SECOND, 0],
    [SECOND, -60 * MINUTE],
  ] as const) {
    await vault.unlock();
    await phone.goToBackground();
    await phone.pass(awayMs);
    phone.jumpClock(jumpMs);
    await phone.goToForeground();
    seen.push(vault.getState().keyVersion, await codeOf(vault.get('finding')));
  }

  expect(seen).toEqual([1, 'ok', null, 'locked', null, 'locked']);
});

test('uses no nonce twice with one key, over restarts and rotations', {
  tags: ['fresh-nonces', 'R2', 'E17'],
}, async () => {
  for (const round of [1, 2, 3]) {
    const vault = await opened();
    for (const name of ['finding', 'letter', 'scan', 'finding']) await vault.put(name, `${name} of round ${round}`);
    await vault.rotate();
    await vault.put('letter', LETTER);
  }

  const used = encryptions().map(({ key, nonce }) => `${key} ${nonce}`);
  expect(used.length).toBeGreaterThanOrEqual(24);
  expect(used.filter((one, at) => used.indexOf(one) !== at)).toEqual([]);
});

test('opens a record under its own name only, and an older one of the same key', {
  tags: ['bound-to-its-name', 'R2', 'E9'],
}, async () => {
  const vault = await opened();
  await vault.put('other', 'warm up');
  const finding = await recordOf(vault, 'finding', FINDING);
  const letter = await recordOf(vault, 'letter', LETTER);
  const dose = await recordOf(vault, 'dose', '50 mg');
  await vault.put('dose', '5 mg');

  phone.kill();
  overwrite(finding, letter);
  overwrite(letter, finding);
  overwrite(dose, dose);
  const relaunched = await opened();

  const ends = await Promise.all(['finding', 'letter', 'other'].map((name) => codeOf(relaunched.get(name))));
  expect(ends).toEqual(['corrupt', 'corrupt', 'ok']);
  expect(['50 mg', '5 mg']).toContain(await relaunched.get('dose'));
});

test('authenticates namespace, name and key version with each value', {
  tags: ['bound-to-its-name', 'R2'],
}, async () => {
  const [vault, other] = await createTwo({ namespace: 'health' }, { namespace: 'notes' });
  for (const one of [vault, other]) {
    await one.start();
    await one.unlock();
  }

  const places = [
    await additionalDataOf(() => vault.put('finding', FINDING)),
    await additionalDataOf(() => vault.put('letter', FINDING)),
    await additionalDataOf(() => other.put('finding', FINDING)),
  ];
  await vault.rotate();
  const moved = await additionalDataOf(() => vault.put('finding', FINDING));

  expect(places.every((one) => one.length > 0)).toBe(true);
  expect(new Set([...places, moved]).size).toBe(4);
});

test('tells which record was tampered with, leaves it, and reads all others', {
  tags: ['corrupt-alone', 'R6'],
}, async () => {
  const vault = await opened();
  await vault.put('finding', FINDING);
  const report = await recordOf(vault, 'report', REPORT);
  await vault.put('letter', LETTER);
  const forgeries = [damaged(report), '', 'rubbish', '{"version":1}', '[]', 'null', '1.AAAA'];
  const longest = longestOf(report);
  const seen: unknown[] = [];

  for (const forged of forgeries) {
    phone.kill();
    setStored(longest, forged);
    const relaunched = await opened();
    const ends = await Promise.all(
      ['finding', 'report', 'letter', 'report'].map((name) => codeOf(relaunched.get(name))),
    );
    const { unreadable, status } = relaunched.getState();
    const left = phone.disk.entries().find((entry) => entry.key === longest.key);
    seen.push([...ends, ...unreadable, status, left?.value]);
  }

  expect(seen).toEqual(forgeries.map((forged) => ['ok', 'corrupt', 'ok', 'corrupt', 'report', 'unlocked', forged]));
});

test('takes no tag that was cut short, and lists what is unreadable until it is put anew or removed', {
  tags: ['corrupt-alone', 'R6'],
}, async () => {
  const vault = await opened();
  await vault.put('letter', LETTER);
  const nothing = longestOf(await recordOf(vault, 'nothing', ''));
  for (const name of ['report', 'scan']) damage(await recordOf(vault, name, REPORT));
  const ends = new Set<string>();

  // Two characters may be mere padding.
  for (let cut = 3; cut <= 24; cut += 1) {
    setStored(nothing, nothing.value.slice(0, -cut).padEnd(4, 'A'));
    ends.add(await codeOf(vault.get('nothing')));
  }
  for (const name of ['report', 'scan']) ends.add(await codeOf(vault.get(name)));
  const listed = [vault.getState().unreadable];
  await vault.put('nothing', 'written anew');
  listed.push(vault.getState().unreadable);
  await vault.remove('report');
  listed.push(vault.getState().unreadable);

  expect([...ends]).toEqual(['corrupt']);
  expect(listed).toEqual([['nothing', 'report', 'scan'], ['report', 'scan'], ['scan']]);
  expect(await vault.get('nothing')).toBe('written anew');
});

test('holds the old value or the new one, whole, when killed in a put', {
  tags: ['whole-or-old', 'R7'],
}, async () => {
  const seen: (string | null)[] = [];
  await (await opened()).put('report', REPORT);

  for (const fault of ['kill-before', 'torn', 'kill-after'] as const) {
    const vault = await opened();
    phone.failNextWrite(fault);
    void vault.put('report', `${REPORT}${fault}`);
    await phone.settle();
    seen.push(await (await opened()).get('report'));
  }

  const possible = [REPORT, ...['kill-before', 'torn', 'kill-after'].map((fault) => `${REPORT}${fault}`)];
  expect(seen.filter((value) => !possible.includes(value ?? ''))).toEqual([]);
  expect(seen[2]).toBe(possible[3]);
});

test('keeps the old value when there is no room, or the write fails', {
  tags: ['whole-or-old', 'R7'],
}, async () => {
  const vault = await opened();
  await vault.put('report', REPORT);

  phone.setFreeSpace(0);
  const full = await codeOf(vault.put('report', FINDING));
  phone.setFreeSpace(2 ** 30);
  phone.failNextWrite('failed');
  const failed = await codeOf(vault.put('report', LETTER));
  const kept = await vault.get('report');
  await vault.put('report', 'at last');

  expect([full, failed, kept]).toEqual(['storage-full', 'storage-failed', REPORT]);
  expect(await (await opened()).get('report')).toBe('at last');
});

test('lets the last of two puts win, also when locked meanwhile', {
  tags: ['whole-or-old', 'E6', 'E7'],
}, async () => {
  const vault = await opened();

  await Promise.all([vault.put('report', REPORT), vault.put('report', LETTER), vault.put('report', FINDING)]);
  const won = await vault.get('report');
  phone.holdWrites();
  const writing = codeOf(vault.put('report', LETTER));
  await phone.settle();
  vault.lock();
  await phone.releaseWrites();
  const end = await writing;
  await vault.unlock();

  expect(won).toBe(FINDING);
  expect(['ok', 'locked']).toContain(end);
  expect([LETTER, ...(end === 'ok' ? [] : [FINDING])]).toContain(await vault.get('report'));
});

test('changes a key that is due, and encrypts every record anew', { tags: ['rotates', 'R8'] }, async () => {
  const vault = await opened();
  for (const [name, value] of VALUES) await vault.put(name, value);
  const [oldKey = ''] = keysIn('health');

  phone.jumpClock(90 * DAY - MINUTE);
  vault.lock();
  await vault.unlock();
  const early = vault.getState().rotation;
  await phone.pass(MINUTE);
  vault.lock();
  await vault.unlock();
  const due = vault.getState();
  await phone.settle();
  const untouched = keysIn('health');
  await vault.rotate();
  const after = vault.getState();
  const relaunched = await opened({ maxKeyAgeMs: DAY });

  expect([early, due, untouched]).toEqual(['none', { ...after, keyVersion: 1, rotation: 'due' }, [oldKey]]);
  expect(after).toEqual({ status: 'unlocked', keyVersion: 2, rotation: 'none', unreadable: [] });
  expect(keysIn('health')).toHaveLength(1);
  expect(keysIn('health')).not.toContain(oldKey);
  expect(await valuesOf(relaunched, NAMES)).toEqual(VALUES.map(([, value]) => value));
  expect(relaunched.getState()).toEqual(after);
});

test('reads everything after a kill at any write of a rotation, and ends it', {
  tags: ['rotation-survives', 'R8', 'E2'],
}, async () => {
  const seen: unknown[] = [];
  let vault = await opened();
  for (const [name, value] of VALUES) await vault.put(name, value);

  for (const after of [0, 1, 2, 3, 4]) {
    phone.failNextWrite(after % 2 === 0 ? 'kill-after' : 'kill-before', { after });
    void vault.rotate();
    await phone.settle();
    vault = await opened();
    seen.push(await valuesOf(vault, NAMES));
    await vault.rotate();
    seen.push(vault.getState().rotation, keysIn('health').length);
  }

  expect(seen).toEqual(
    Array(5)
      .fill([VALUES.map(([, value]) => value), 'none', 1])
      .flat(),
  );
});

test('goes on with a rotation that was cut off, past a record that nobody can read', {
  tags: ['rotation-survives', 'R8'],
}, async () => {
  const before = await opened();
  for (const [name, value] of VALUES) await before.put(name, value);
  const [first = ''] = keysIn('health');
  damage(await recordOf(before, 'report', REPORT));
  const vault = await opened();

  phone.failNextWrite('failed', { after: 2 });
  const cut = await codeOf(vault.rotate());
  const halfway = [vault.getState().keyVersion, vault.getState().rotation, keysIn('health').length];
  await vault.put('late', LETTER);
  vault.lock();
  await vault.unlock();
  await phone.settle();

  expect([cut, halfway]).toEqual(['storage-failed', [2, 'running', 2]]);
  expect(vault.getState()).toEqual({ status: 'unlocked', keyVersion: 2, rotation: 'none', unreadable: ['report'] });
  expect(new Set(usedKeys())).toEqual(new Set([first, ...keysIn('health')]));
  expect(await valuesOf(vault, [...NAMES, 'late'])).toEqual([...VALUES.map(([, value]) => value), LETTER]);
});

test('keeps what is put and removed during a rotation, and runs one at a time', {
  tags: ['rotation-beside-writes', 'R8', 'E14'],
}, async () => {
  const vault = await opened();
  const names = Array.from({ length: 24 }, (_, n) => `page ${n}`);
  for (const name of names) await vault.put(name, REPORT);

  const rotations = [vault.rotate()];
  const writes = [vault.put('between', REPORT)];
  rotations.push(vault.rotate());
  for (const [n, name] of names.entries()) {
    writes.push(n % 4 === 0 ? vault.remove(name) : vault.put(name, `${name}, second edition`));
    for (let ticks = 0; ticks < 1 + (n % 16); ticks += 1) await Promise.resolve();
  }
  await Promise.all([...rotations, ...writes]);

  const newest = names.map((name, n) => (n % 4 === 0 ? null : `${name}, second edition`));
  const relaunched = await opened();
  expect(relaunched.getState()).toMatchObject({ keyVersion: 2, rotation: 'none', unreadable: [] });
  expect(await valuesOf(relaunched, names)).toEqual(newest);
  expect(await relaunched.get('between')).toBe(REPORT);
});

test('tells that the key is lost, and makes no new one before a wipe', { tags: ['key-lost', 'R9'] }, async () => {
  await (await opened()).put('finding', FINDING);
  phone.enrolBiometrics();
  const before = ordinary();
  const vault = await launch();

  const ends = [await codeOf(vault.unlock()), await codeOf(vault.unlock())];
  vault.lock();
  ends.push(vault.getState().status);
  const refused = await Promise.all([vault.get('finding'), vault.put('finding', 'x'), vault.rotate()].map(codeOf));
  const after = [ordinary(), phone.disk.secureStore.keys(), await vault.names()];
  await vault.wipe();
  const wiped = vault.getState().status;
  await vault.unlock();
  await vault.put('letter', LETTER);

  expect([...ends, ...refused]).toEqual(Array(6).fill('key-lost'));
  expect(after).toEqual([before, [], ['finding']]);
  expect([wiped, await vault.names(), await vault.get('letter')]).toEqual(['locked', ['letter'], LETTER]);
});

test('destroys keys and records while locked, without a prompt', { tags: ['wipes', 'R10'] }, async () => {
  const vault = await opened();
  await vault.put('other', 'warm up');
  const record = await recordOf(vault, 'finding', FINDING);
  vault.lock();
  const prompts = phone.promptCount();
  await phone.goOffline();

  await vault.wipe();
  const left = [keysIn('health'), remains(record), await vault.names(), phone.promptCount() - prompts];
  await vault.unlock();
  await vault.put('letter', LETTER);

  expect(left).toEqual([[], [], [], 0]);
  expect(await valuesOf(vault, ['finding', 'other', 'letter'])).toEqual([null, null, LETTER]);
  expect([await vault.names(), vault.getState().keyVersion]).toEqual([['letter'], 1]);
});

test('removes a key of an earlier installation, unread', { tags: ['earlier-installation', 'R11'] }, async () => {
  const old = await opened();
  await old.put('finding', FINDING);
  const [oldKey = ''] = keysIn('health');
  phone.reinstall();

  const vault = await launch();
  const left = [phone.disk.secureStore.keys(), phone.promptCount()];
  await vault.unlock();
  await vault.put('letter', LETTER);
  const relaunched = await opened();

  expect(left).toEqual([[], 0]);
  expect(usedKeys()).toEqual([oldKey, ...keysIn('health')]);
  expect(keysIn('health')).not.toContain(oldKey);
  expect([await relaunched.names(), await relaunched.get('letter')]).toEqual([['letter'], LETTER]);
});

test('shares nothing between two namespaces', { tags: ['namespaces-apart', 'R12', 'E16'] }, async () => {
  const [vault, other] = await createTwo({ namespace: 'health' }, { namespace: 'health-sync' });
  for (const one of [vault, other]) {
    await one.start();
    await one.unlock();
  }
  await vault.put('finding', FINDING);
  await other.put('finding', LETTER);
  await other.put('-sync', 'a name like a namespace');
  await vault.put('sync', 'another');
  await vault.rotate();
  const keys = [...keysIn('health'), ...keysIn('health-sync')];
  const names = [(await vault.names()).sort(), (await other.names()).sort(), other.getState().keyVersion];
  await vault.wipe();
  const relaunched = await opened({ namespace: 'health-sync' });

  expect(new Set(keys).size).toBe(2);
  expect(names).toEqual([['finding', 'sync'], ['-sync', 'finding'], 1]);
  expect(await vault.getState().status).toBe('locked');
  expect(await valuesOf(relaunched, ['finding', '-sync'])).toEqual([LETTER, 'a name like a namespace']);
});

test('works without a person when nobody guards it', { tags: ['gate-none', 'R12'] }, async () => {
  phone.setBiometrics({ isEnrolled: false });
  const first = await opened({ gate: 'none' });
  await first.put('finding', FINDING);
  phone.enrolBiometrics();
  await phone.lockScreen();

  const vault = await opened({ gate: 'none' });
  await phone.goToBackground();
  await phone.pass(DAY);
  await phone.goToForeground();
  const afterADay = await vault.get('finding');
  await vault.rotate();
  vault.lock();

  expect([afterADay, phone.promptCount(), vault.getState().status]).toEqual([FINDING, 0, 'locked']);
  const { AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: keychainAccessible } = phone.device.secureStore;
  expect(rulesOf('health')).toMatchObject({ requireAuthentication: false, keychainAccessible });
});

// ---------------------------------------------------------------------------------------------------------------------
// staff: a wipe in the worst moment, and doubt

test('leaves all or nothing after a kill at any write of a wipe, and nothing on a full disk', {
  tags: ['wipe-survives', 'R10', 'E10', 'E11'],
}, async () => {
  const seen: unknown[] = [];
  const cut = [
    () => phone.failNextWrite('kill-after'),
    () => phone.failNextWrite('kill-after', { after: 1 }),
    () => phone.failNextWrite('kill-after', { after: 2 }),
    () => phone.setFreeSpace(0),
    () => phone.failNextWrite('kill-before'),
  ];

  for (const befall of cut) {
    const vault = await opened();
    await vault.put('other', 'warm up');
    const records = [...(await recordOf(vault, 'finding', FINDING)), ...(await recordOf(vault, 'letter', LETTER))];
    befall();
    void vault.wipe();
    await phone.settle();
    const isOrdered = keysIn('health').length === 0 || remains(records).length === records.length;
    phone.setFreeSpace(2 ** 30);
    const relaunched = await launch();
    const keys = keysIn('health').length;
    await relaunched.unlock();
    const names = (await relaunched.names()).sort();
    seen.push([isOrdered, keys, ...names, ...(await valuesOf(relaunched, ['finding', 'letter']))]);
  }

  const all = [true, 1, 'finding', 'letter', 'other', FINDING, LETTER];
  const nothing = [true, 0, null, null];
  expect(seen.slice(0, 4)).toEqual(Array(4).fill(nothing));
  expect([all, nothing]).toContainEqual(seen[4]);
});

test('finishes a wipe that has failed before anything else', { tags: ['wipe-survives', 'R10'] }, async () => {
  const vault = await opened();
  await vault.put('finding', FINDING);

  phone.failNextWrite('failed', { after: 1 });
  const end = await codeOf(vault.wipe());
  await vault.unlock();

  expect([end, vault.getState().keyVersion, await vault.names()]).toEqual(['storage-failed', 1, []]);
  expect(await vault.get('finding')).toBeNull();
});

test('leaves nothing of a put, a rotation or a prompt under way when it is wiped', {
  tags: ['nothing-left-by-work', 'R10', 'E13'],
}, async () => {
  const vault = await opened();
  await vault.put('other', 'warm up');
  const record = await recordOf(vault, 'finding', FINDING);
  const seen: unknown[] = [];
  const wipeDuring = async (work: () => Promise<unknown>[]) => {
    phone.holdWrites();
    const calls = work().map(codeOf);
    await phone.settle();
    const wiping = vault.wipe();
    calls.push(codeOf(vault.get('finding')));
    await phone.releaseWrites();
    await wiping;
    const ends = await Promise.all(calls);
    seen.push(ends.at(-1), await codeOf(vault.get('finding')), keysIn('health'), remains(record), await vault.names());
  };

  await wipeDuring(() => [...NAMES, 'a', 'b', 'c', 'd'].map((name) => vault.put(name, LETTER)));
  await vault.unlock();
  await vault.put('finding', FINDING);
  await wipeDuring(() => [vault.rotate(), vault.put('finding', LETTER)]);
  await wipeDuring(() => [vault.unlock()]);
  await vault.unlock();
  await vault.put('finding', FINDING);
  vault.lock();
  const withKey = codeOf(vault.unlock());
  await vault.wipe();
  const opening = [await withKey];
  const withoutKey = codeOf(vault.unlock());
  await vault.wipe();
  opening.push(await withoutKey);

  expect(seen).toEqual(Array(3).fill(['locked', 'locked', [], [], []]).flat());
  expect(opening).toEqual(['locked', 'locked']);
  expect([keysIn('health'), vault.getState().status]).toEqual([[], 'locked']);
});

test('keeps the old key while a record still needs it', {
  tags: ['keeps-the-old-key-in-doubt', 'R8', 'E12'],
}, async () => {
  const vault = await opened();
  for (const [name, value] of VALUES) await vault.put(name, value);

  phone.failNextWrite('full', { after: 2 });
  const ends = [await codeOf(vault.rotate())];
  const keys = keysIn('health').length;
  phone.setFreeSpace(0);
  ends.push(await codeOf(vault.rotate()));
  const relaunched = await opened();
  const read = await valuesOf(relaunched, NAMES);
  phone.setFreeSpace(2 ** 30);
  await relaunched.rotate();

  expect([ends, keys]).toEqual([['storage-full', 'storage-full'], 2]);
  expect(read).toEqual(VALUES.map(([, value]) => value));
  expect(relaunched.getState()).toMatchObject({ keyVersion: 2, rotation: 'none' });
});

test('goes on after a new face is enrolled until it locks, and lets a rotation save it', {
  tags: ['new-faces', 'R9', 'E8'],
}, async () => {
  const vault = await opened();
  await vault.put('finding', FINDING);

  phone.enrolBiometrics();
  await vault.put('letter', LETTER);
  const read = await vault.get('finding');
  await vault.rotate();
  vault.lock();
  await vault.unlock();
  const saved = await valuesOf(vault, ['finding', 'letter']);
  phone.enrolBiometrics();
  vault.lock();

  expect([read, saved]).toEqual([FINDING, [FINDING, LETTER]]);
  expect([await codeOf(vault.unlock()), await vault.names()]).toEqual(['key-lost', expect.arrayContaining(['letter'])]);
});

// ---------------------------------------------------------------------------------------------------------------------

const VALUES: readonly (readonly [string, string])[] = [
  ['finding', FINDING],
  ['letter', LETTER],
  ['scan', REPORT],
];
const NAMES = VALUES.map(([name]) => name);

type Options = Partial<Omit<VaultOptions, 'device'>>;

async function create(options: Options = {}): Promise<Vault> {
  const { createVault } = await phone.coldStart(() => import('#attempt/secure-storage'));
  return createVault({ device: phone.device, namespace: 'health', ...options });
}

/** Two vaults of one launch. */
async function createTwo(one: Options, other: Options): Promise<[Vault, Vault]> {
  const { createVault } = await phone.coldStart(() => import('#attempt/secure-storage'));
  const make = (options: Options) => createVault({ device: phone.device, namespace: 'health', ...options });
  return [make(one), make(other)];
}

async function launch(options: Options = {}): Promise<Vault> {
  const vault = await create(options);
  await vault.start();
  return vault;
}

async function opened(options: Options = {}): Promise<Vault> {
  const vault = await launch(options);
  await vault.unlock();
  return vault;
}

function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'ok',
    (error: { code?: string }) => error.code ?? String(error),
  );
}

const valuesOf = (vault: Vault, names: readonly string[]): Promise<(string | null)[]> =>
  Promise.all(names.map((name) => vault.get(name)));

/** All that is stored, but for the keychain. */
const ordinary = (): Entry[] => phone.disk.entries().filter(({ module }) => module !== 'secureStore');
const placesOf = (entries: readonly Entry[]): string[] => entries.map(({ module, key }) => `${module} ${key}`);

const rulesOf = (namespace: string) => phone.disk.secureStore.rulesOf(`vault.${namespace}`);

/** The keys in a key item, in hex. */
function keysIn(namespace: string): string[] {
  const item = phone.disk.secureStore.get(`vault.${namespace}`) ?? '';
  return (item.match(/[\w+/-]{43,64}/g) ?? []).flatMap((text) => {
    if (/^[0-9a-f]{64}$/i.test(text)) return [text.toLowerCase()];
    return text.length === 43 ? [Buffer.from(text, 'base64').toString('hex')] : [];
  });
}

const encryptions = () => phone.cipherCalls.filter(({ does }) => does === 'encrypt');
const usedKeys = (): string[] => [...new Set(encryptions().map(({ key }) => key))];

async function additionalDataOf(write: () => Promise<void>): Promise<string> {
  const before = encryptions().length;
  await write();
  const [call] = encryptions().slice(before);
  return call?.additionalData ?? '';
}

/** Ways in which a text or bytes may stand in a longer one. */
function encodingsOf(secret: string | Buffer): string[] {
  const bytes = Buffer.from(secret);
  const shifted = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(4, -4),
  );
  const urls = shifted.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [bytes.toString('utf8').slice(0, 24), bytes.toString('hex'), bytes.join(','), ...shifted, ...urls];
}

/** Puts a value, and gives what is stored in places that did not exist before. */
async function recordOf(vault: Vault, name: string, value: string): Promise<Entry[]> {
  const before = new Set(placesOf(ordinary()));
  await vault.put(name, value);
  return ordinary().filter((entry) => !before.has(placesOf([entry])[0] ?? '') && entry.value !== name);
}

const remains = (record: readonly Entry[]): string[] => {
  const places = new Set(placesOf(ordinary()));
  return placesOf(record).filter((place) => places.has(place));
};

/** Puts the content of one record in the place of another. */
function overwrite(record: readonly Entry[], content: readonly Entry[]): void {
  for (const [n, entry] of record.entries()) setStored(entry, content[n]?.value ?? '');
}

const longestOf = (record: readonly Entry[]): Entry =>
  record.reduce((longest, one) => (one.value.length > longest.value.length ? one : longest));

/** A record's longest part with some letters in its middle changed. */
function damaged(record: readonly Entry[]): string {
  const { value } = longestOf(record);
  const spots = [0.4, 0.5, 0.6, 0.7].map((share) => Math.floor(value.length * share));
  const other = (letter: string) => (/\d/.test(letter) ? (letter === '1' ? '2' : '1') : letter === 'b' ? 'a' : 'b');
  return [...value].map((letter, at) => (spots.includes(at) ? other(letter) : letter)).join('');
}

function damage(record: readonly Entry[]): void {
  setStored(longestOf(record), damaged(record));
}

/** Overwrites a stored value by hand. Of a database's row: the one that `entries` has shown, by the order of its rowid. */
function setStored({ module, key }: Entry, value: string): void {
  const [database = '', table = '', row = '', column = ''] = key.split('/');
  const store = module === 'databases' ? phone.disk.databases.find(database) : undefined;
  const text = value.replaceAll("'", "''");
  const rowId = `(SELECT rowid FROM "${table}" ORDER BY rowid LIMIT 1 OFFSET ${Number(row)})`;
  if (store) store.exec(`UPDATE "${table}" SET "${column}" = '${text}' WHERE rowid = ${rowId}`);
  else phone.disk[module].set(key, value);
}
