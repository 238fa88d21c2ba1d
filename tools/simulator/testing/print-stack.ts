// Run by a test in a process of its own: bundles a file, calls its `fail`, prints the stack of what it throws.
import { dirname } from 'node:path';
import { createFactory } from '../app-factory.ts';
import { bundle } from '../bundle.ts';

const entry = process.argv[2] ?? '';
const { fail } = createFactory(await bundle(entry, dirname(entry)))({}) as { fail(): never };
try {
  fail();
} catch (error) {
  console.log((error as Error).stack);
}
