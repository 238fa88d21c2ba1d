// `#course`: what a kata's author writes mistakes with. Types only.
export type { LazyAttempt, Mistake } from './mistake.ts';
