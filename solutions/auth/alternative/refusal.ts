// Why something was turned down.
import type { AuthErrorCode } from '#contract/auth';

export class Refusal extends Error {
  readonly code: AuthErrorCode;

  constructor(code: AuthErrorCode) {
    super(`Turned down: ${code}.`);
    this.code = code;
  }
}

export function refuseStorage(): never {
  throw new Refusal('storage');
}
