// Structural subset of `react-native-quick-crypto`: Node's crypto, synchronous, with the launch's drawn randomness.
import nodeCrypto from 'node:crypto';
import type { EffectHost } from './host.ts';

/** Bytes, or text as UTF-8. */
type BinaryLike = string | Uint8Array;
type TextEncoding = 'utf8' | 'hex' | 'base64' | 'base64url';

export interface Hash {
  update(data: BinaryLike, inputEncoding?: TextEncoding): Hash;
  digest(): Buffer;
  digest(encoding: TextEncoding): string;
}

export interface Cipher {
  update(data: Uint8Array): Buffer;
  update(data: string, inputEncoding: TextEncoding): Buffer;
  update(data: BinaryLike, inputEncoding: TextEncoding | undefined, outputEncoding: TextEncoding): string;
  final(): Buffer;
  final(outputEncoding: TextEncoding): string;
  /** Additional data: authenticated, not encrypted. Before the first `update`. */
  setAAD(data: Uint8Array): this;
}

export interface CipherGCM extends Cipher {
  /** After `final`: 16 bytes. */
  getAuthTag(): Buffer;
}

export interface DecipherGCM extends Cipher {
  /** Before `final`, which throws when the data is not authentic. */
  setAuthTag(tag: Uint8Array): this;
}

export interface QuickCrypto {
  randomBytes(sizeBytes: number): Buffer;
  randomUUID(): string;
  createHash(algorithm: string): Hash;
  createHmac(algorithm: string, key: BinaryLike): Hash;
  createCipheriv(algorithm: 'aes-256-gcm' | 'aes-128-gcm', key: Uint8Array, iv: Uint8Array): CipherGCM;
  createCipheriv(algorithm: string, key: Uint8Array, iv: Uint8Array | null): Cipher;
  createDecipheriv(algorithm: 'aes-256-gcm' | 'aes-128-gcm', key: Uint8Array, iv: Uint8Array): DecipherGCM;
  createDecipheriv(algorithm: string, key: Uint8Array, iv: Uint8Array | null): Cipher;
  pbkdf2Sync(
    password: BinaryLike,
    salt: BinaryLike,
    iterations: number,
    keyLengthBytes: number,
    digest: string,
  ): Buffer;
  hkdfSync(digest: string, key: BinaryLike, salt: BinaryLike, info: BinaryLike, keyLengthBytes: number): ArrayBuffer;
  scryptSync(
    password: BinaryLike,
    salt: BinaryLike,
    keyLengthBytes: number,
    options?: { readonly N?: number; readonly r?: number; readonly p?: number; readonly maxmem?: number },
  ): Buffer;
  timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean;
  /** The package's own `Buffer`: there is no global one on a phone. */
  readonly Buffer: typeof Buffer;
}

/** One use of a cipher, as an invariant or a test sees it. Filled in as the app goes on. */
export interface CipherCall {
  readonly does: 'encrypt' | 'decrypt';
  readonly algorithm: string;
  /** In hex, as are the two below. */
  readonly key: string;
  readonly nonce: string | null;
  /** Additional data, empty without. */
  additionalData: string;
}

export function createQuickCrypto(host: EffectHost): QuickCrypto {
  const randomBytes = (sizeBytes: number): Buffer => {
    const bytes = Buffer.alloc(sizeBytes);
    for (let at = 0; at < sizeBytes; at += 1) bytes[at] = Math.floor(host.random('quickCrypto') * 256);
    return bytes;
  };
  const randomUUID = () => {
    const hex = randomBytes(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  };

  /** Notes the call, and additional data as it comes. */
  function noted<C extends object>(
    cipher: C & { setAAD?: (data: Uint8Array) => unknown },
    does: CipherCall['does'],
    algorithm: string,
    key: Uint8Array,
    iv: Uint8Array | null,
  ): C {
    const call: CipherCall = { does, algorithm, key: hex(key), nonce: iv && hex(iv), additionalData: '' };
    host.noteCipher(call);
    const setAAD = cipher.setAAD?.bind(cipher);
    // Modes without authentication have none.
    if (!setAAD) return cipher;
    const noting = (data: Uint8Array) => {
      call.additionalData += hex(data);
      setAAD(data);
      return cipher;
    };
    cipher.setAAD = noting;
    return cipher;
  }

  const ciphers = {
    createCipheriv: (algorithm: string, key: Uint8Array, iv: Uint8Array | null) =>
      noted(nodeCrypto.createCipheriv(algorithm as 'aes-256-gcm', key, iv), 'encrypt', algorithm, key, iv),
    createDecipheriv: (algorithm: string, key: Uint8Array, iv: Uint8Array | null) =>
      noted(nodeCrypto.createDecipheriv(algorithm as 'aes-256-gcm', key, iv), 'decrypt', algorithm, key, iv),
  };

  return {
    randomBytes,
    randomUUID,
    ...(ciphers as unknown as Pick<QuickCrypto, 'createCipheriv' | 'createDecipheriv'>),
    createHash: (algorithm) => nodeCrypto.createHash(algorithm) as Hash,
    createHmac: (algorithm, key) => nodeCrypto.createHmac(algorithm, key) as Hash,
    pbkdf2Sync: nodeCrypto.pbkdf2Sync,
    hkdfSync: nodeCrypto.hkdfSync,
    scryptSync: nodeCrypto.scryptSync,
    timingSafeEqual: nodeCrypto.timingSafeEqual,
    Buffer,
  };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
