// There is no server in this kata: nothing of a vault leaves the phone. A backend without routes stands in its place.
import { Hono } from 'hono/quick';
import type { Backend } from '#simulator';

export type NoBackend = Backend;

export const createBackend = (_context?: unknown): NoBackend => ({ app: new Hono() });
