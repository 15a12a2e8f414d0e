import { createCipheriv, createDecipheriv, hkdfSync, type ScryptOptions, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { isRecord } from '../json/value.ts';

/** The place of a secret, to which it is bound: in another record or field it does not open. */
export interface SecretPlace {
  readonly record: string;
  readonly id: string;
  readonly field: string;
  /** The origin that the secret is sent to; with another origin it does not open. Absent: it is never sent. */
  readonly origin?: string;
}

export interface OpenedSecret {
  readonly text: string;
  /** True if it should be sealed anew: it was sealed with the previous key, or is not bound to its origin. */
  readonly isStale: boolean;
}

/** Seals texts for storage and opens them again. */
export interface Sealer {
  /**
   * AES-256-GCM with a fresh random nonce: `v2.` for a place with an origin, else `v1.`, and base64url of nonce,
   * ciphertext and tag.
   */
  seal(text: string, place: SecretPlace): string;
  /**
   * The text, or null if no key opens it (another key, a changed byte, another place). In a place with an origin it
   * opens `v1.` too, the form of earlier versions: the caller decides whether to trust it, see `isUnbound`.
   */
  open(sealed: string, place: SecretPlace): OpenedSecret | null;
}

export interface SealerOptions {
  readonly key: string;
  /** The key before the last change. */
  readonly previousKey: string | null;
  readonly randomBytes: (count: number) => Buffer;
}

/** Prefixes of sealed texts: `v1.` is bound to its record, `v2.` to its record and origin. */
const RECORD_BOUND = 'v1.';
const ORIGIN_BOUND = 'v2.';
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PASSPHRASE_MEMORY_LIMIT_BYTES = 64 * 1024 * 1024;
const PASSPHRASE_PARALLELIZATION_LIMIT = 8;

const promisifiedScrypt = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** Makes a sealer for provider keys; its own keys are derived from a secret by HKDF-SHA256 (RFC 5869). */
export function createSealer(options: SealerOptions): Sealer {
  const older = options.previousKey === null ? [] : [deriveKey(options.previousKey)];
  return sealerOf([deriveKey(options.key), ...older], options.randomBytes);
}

/** True for a sealed text without an origin; earlier versions sealed provider keys like that. */
export function isUnbound(sealed: string): boolean {
  return sealed.startsWith(RECORD_BOUND);
}

/** The parameters of a key that was made from a passphrase by scrypt (RFC 7914); stored beside what it seals. */
export interface PassphraseParameters {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  /** base64url. */
  readonly salt: string;
}

/** True for parameters as they are stored; whether they are within bounds shows when they are used. */
export function isPassphraseParameters(value: unknown): value is PassphraseParameters {
  if (!isRecord(value) || typeof value['salt'] !== 'string') return false;
  const numbers = [value['cost'], value['blockSize'], value['parallelization']];
  return numbers.every((number) => Number.isSafeInteger(number) && Number(number) >= 1);
}

/** New parameters with a random salt: one of the settings of the OWASP Password Storage Cheat Sheet; 32 MiB, 1/4 s. */
export function newPassphraseParameters(randomBytes: (count: number) => Buffer): PassphraseParameters {
  return { cost: 2 ** 15, blockSize: 8, parallelization: 3, salt: randomBytes(16).toString('base64url') };
}

/**
 * Makes a sealer whose key comes from a passphrase. Characters that can be written in two ways count as the same (NFC).
 * @throws RangeError if the parameters ask for far more memory or time than ours.
 */
export async function createPassphraseSealer(
  passphrase: string,
  parameters: PassphraseParameters,
  randomBytes: (count: number) => Buffer,
): Promise<Sealer> {
  const { cost, blockSize, parallelization, salt } = parameters;
  const memoryBytes = 128 * cost * blockSize;
  if (memoryBytes > PASSPHRASE_MEMORY_LIMIT_BYTES || parallelization > PASSPHRASE_PARALLELIZATION_LIMIT) {
    throw new RangeError('The parameters of the passphrase are out of bounds.');
  }
  const options = { cost, blockSize, parallelization, maxmem: 2 * memoryBytes };
  const saltBytes = Buffer.from(salt, 'base64url');
  const key = await promisifiedScrypt(passphrase.normalize('NFC'), saltBytes, KEY_BYTES, options);
  return sealerOf([key], randomBytes);
}

/** Seals with the first key; opens with each of them. */
function sealerOf(keys: readonly [Buffer, ...Buffer[]], randomBytes: (count: number) => Buffer): Sealer {
  return {
    seal(text, place) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, keys[0], nonce).setAAD(associatedData(place));
      const parts = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
      const prefix = place.origin === undefined ? RECORD_BOUND : ORIGIN_BOUND;
      return prefix + Buffer.concat(parts).toString('base64url');
    },
    open(sealed, place) {
      for (const key of keys) {
        const text = openText(key, sealed, place);
        const isStale = key !== keys[0] || (place.origin !== undefined && isUnbound(sealed));
        if (text !== null) return { text, isStale };
      }
      return null;
    },
  };
}

function deriveKey(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'ipin-proxy/v1/provider-key', KEY_BYTES));
}

function openText(key: Buffer, sealed: string, place: SecretPlace): string | null {
  const isBound = place.origin !== undefined && sealed.startsWith(ORIGIN_BOUND);
  if (!isBound && !isUnbound(sealed)) return null;
  const { origin: _, ...record } = place;
  const bytes = Buffer.from(sealed.slice(RECORD_BOUND.length), 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return null;
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const tag = bytes.subarray(bytes.length - TAG_BYTES);
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(isBound ? place : record)).setAuthTag(tag);
  try {
    const start = decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES));
    return Buffer.concat([start, decipher.final()]).toString();
  } catch {
    return null;
  }
}

function associatedData({ record, id, field, origin }: SecretPlace): Buffer {
  const bound = origin === undefined ? [1, record, id, field] : [2, record, id, field, origin];
  return Buffer.from(JSON.stringify(['ipin-proxy', ...bound]));
}
