// Runs in each test's process: writes down which test begins, so that one that hangs can be named.
import { writeFileSync } from 'node:fs';
import { beforeEach } from 'vitest';

const file = process.env.KATA_PROGRESS_FILE;

beforeEach(({ task }) => {
  if (file) writeFileSync(file, task.name);
});
