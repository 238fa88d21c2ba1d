import { createHash } from 'node:crypto';

/** Bytes as a record shows them: their number and their SHA-256 in hex, `<65536 bytes, sha256 9f86d0…>`. */
export function describeBytes(bytes: Uint8Array): string {
  return `<${bytes.length} bytes, sha256 ${createHash('sha256').update(bytes).digest('hex')}>`;
}
