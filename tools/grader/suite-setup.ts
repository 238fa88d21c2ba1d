// Runs in each test's process: writes down which tests begin, so that one that hangs can be named, and how busy each was.
import { appendFileSync } from 'node:fs';
import { afterEach, beforeEach } from 'vitest';

const file = process.env.KATA_PROGRESS_FILE;
const cpuUsage = process.cpuUsage.bind(process);

let before = cpuUsage();

beforeEach(({ task }) => {
  before = cpuUsage();
  if (file) appendFileSync(file, `${JSON.stringify(task.name)}\n`);
});

afterEach(({ task }) => {
  const { user, system } = cpuUsage(before);
  Object.assign(task.meta, { busyMs: (user + system) / 1_000 });
});
