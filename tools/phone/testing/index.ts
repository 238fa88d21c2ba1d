// `#phone/testing`: a phone for example tests, under Vitest's fake timers. The test moves it by hand.
export { CACHE_URI, DOCUMENTS_URI, syntheticBytes } from '../file-tree.ts';
export { codeOf, type HeldAnswers, type HoldOptions, holdAnswers } from './answers.ts';
export { createPhone, type SentRequest, type TestPhone } from './test-phone.ts';
export type { TestFrame, TestSocket } from './test-sockets.ts';
