// The wire: how a pull is asked for, and a push brought.
import type { Pull, PullResult, Push, TableChanges } from '#contract/delta-sync';
import { isObject } from '#solutions/token-refresh';
import { failed } from './failures.ts';

export function pullOver(apiUrl: string, send: typeof fetch): Pull {
  return async ({ lastPulledAt, schemaVersion, migration }, signal) => {
    const told = encodeURIComponent(JSON.stringify(migration));
    const query = `last_pulled_at=${lastPulledAt}&schema_version=${schemaVersion}&migration=${told}`;
    const answer = await send(`${apiUrl}/sync?${query}`, { signal });
    if (answer.status !== 200) throw failed('http', answer.status);
    const body = await bodyOf(answer);
    if (!isPullResult(body)) throw failed('bad-response');
    return body;
  };
}

export function pushOver(apiUrl: string, send: typeof fetch): Push {
  return async ({ changes, lastPulledAt }, signal) => {
    const answer = await send(`${apiUrl}/sync?last_pulled_at=${lastPulledAt}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ changes }),
      signal,
    });
    if (answer.status === 409) return 'conflict';
    if (answer.status !== 200) throw failed('http', answer.status);
    // A captive portal answers 200 as well. Whoever believes it forgets changes that went nowhere.
    if (!isObject(await bodyOf(answer))) throw failed('bad-response');
    return 'ok';
  };
}

const bodyOf = (answer: Response): Promise<unknown> => answer.json().catch(() => null);

function isPullResult(body: unknown): body is PullResult {
  if (!isObject(body) || !isObject(body.changes)) return false;
  return typeof body.timestamp === 'number' && Object.values(body.changes).every(isTableChanges);
}

function isTableChanges(value: unknown): value is TableChanges {
  if (!isObject(value)) return false;
  const { created, updated, deleted } = value;
  const isRow = (row: unknown) => isObject(row) && typeof row.id === 'string';
  const areRows = [created, updated].every((rows) => Array.isArray(rows) && rows.every(isRow));
  return areRows && Array.isArray(deleted) && deleted.every((id) => typeof id === 'string');
}
