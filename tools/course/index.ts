// `#course`: what a kata's author writes mistakes with.
export { type LazyShape, lazyAttempts } from './lazy-attempts.ts';
export type { LazyAttempt, Mistake } from './mistake.ts';
