// AES-256-GCM: nonce, tag and text in one base64 value. NIST SP 800-38D.
import type { Device } from '#phone';

export function seal({ quickCrypto }: Device, key: Uint8Array, text: string): string {
  const nonce = quickCrypto.randomBytes(12);
  const cipher = quickCrypto.createCipheriv('aes-256-gcm', key, nonce);
  const bytes = quickCrypto.Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return quickCrypto.Buffer.concat([nonce, cipher.getAuthTag(), bytes]).toString('base64');
}

export function unseal({ quickCrypto }: Device, key: Uint8Array, sealed: string): string {
  const bytes = quickCrypto.Buffer.from(sealed, 'base64');
  try {
    const decipher = quickCrypto.createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(12, 28));
    return quickCrypto.Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
  } catch {
    return '';
  }
}
