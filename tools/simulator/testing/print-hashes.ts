// Run by a test in a process of its own: prints the trace hash of each plan that comes in as JSON.
import { text } from 'node:stream/consumers';
import type { Plan } from '../plan.ts';
import { catchRejections, hashTrace, runPlan } from '../run.ts';
import { createOutboxFactory, outboxScenario } from './outbox.ts';

const plans = JSON.parse(await text(process.stdin)) as Plan[];
const release = catchRejections();
const hashes: string[] = [];
for (const plan of plans) hashes.push(hashTrace((await runPlan(outboxScenario, createOutboxFactory(), plan)).trace));
release();
console.log(JSON.stringify(hashes));
