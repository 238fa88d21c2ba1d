// `#phone/testing`: a phone for example tests, under Vitest's fake timers. The test moves it by hand.
export { createPhone, type SentRequest, type TestPhone } from './test-phone.ts';
