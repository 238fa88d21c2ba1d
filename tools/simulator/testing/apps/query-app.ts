import { QueryClient } from '@tanstack/query-core';

/** Asks for one thing, with two retries, and says how it went. */
export async function load(apiUrl: string): Promise<string> {
  const client = new QueryClient();
  const result = await client.fetchQuery({
    queryKey: ['thing'],
    retry: 2,
    queryFn: async () => {
      const response = await fetch(`${apiUrl}/things/1`);
      if (!response.ok) throw new Error(`status ${response.status}`);
      return (await response.json()) as { ok: boolean };
    },
  });
  return JSON.stringify(result);
}
