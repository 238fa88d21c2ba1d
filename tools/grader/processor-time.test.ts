import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { processorTimeOf } from './processor-time.ts';

test('tells the time a process has used', async () => {
  const used = () => process.cpuUsage().user + process.cpuUsage().system;
  const before = await processorTimeOf(process.pid);
  const from = used();
  while (used() - from < 200_000);

  const after = await processorTimeOf(process.pid);

  expect(Number(after) - Number(before)).toBeGreaterThanOrEqual(150);
});

test('tells nothing of a process that is gone, or has not begun', async () => {
  const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(gone, 'exit');

  expect(await processorTimeOf(gone.pid)).toBeNull();
  expect(await processorTimeOf(undefined)).toBeNull();
});
