// Runs in each test's process: writes down what runs, so that one that hangs can be named, and how much of its time each was kept from waiting.
import { appendFileSync } from 'node:fs';
import { afterEach, beforeEach } from 'vitest';

/** An idle process is called this often. */
const STEP_MS = 50;

const file = process.env.KATA_PROGRESS_FILE;
const cpuUsage = process.cpuUsage.bind(process);
const now = performance.now.bind(performance);

const write = (value: unknown) => file && appendFileSync(file, `${JSON.stringify(value)}\n`);

/** Time by which calls came late since the test began: it was busy, or the machine kept it from running. */
let lateMs = 0;
let calledAt = now();
const noteCall = () => {
  lateMs += Math.max(0, now() - calledAt - STEP_MS);
  calledAt = now();
};
setInterval(noteCall, STEP_MS).unref();
let before = cpuUsage();

write(process.pid);

beforeEach(({ task }) => {
  before = cpuUsage();
  lateMs = 0;
  calledAt = now();
  write(task.name);
});

afterEach(({ task }) => {
  noteCall();
  const { user, system } = cpuUsage(before);
  Object.assign(task.meta, { busyMs: Math.max((user + system) / 1_000, lateMs) });
});
