import { scrypt, timingSafeEqual } from 'node:crypto';
import { HttpError } from '../errors.ts';
import { PASSWORD_COST, type PasswordWork, type WorkLane } from './password-work.ts';

export interface HashOptions {
  readonly work: PasswordWork;
  readonly lane?: WorkLane;
}

export interface NewHashOptions extends HashOptions {
  readonly randomBytes: (size: number) => Buffer;
}

interface ScryptHash {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** The parameters of new hashes, besides the cost, which `PasswordWork` knows. */
const CURRENT = { blockSize: 8, parallelization: 5 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** Bounds for the hashes in a database file: a hostile or damaged file must not stop the server. */
const MIN_COST = 2 ** 10;
const MAX_MEMORY_BYTES = 64 * 2 ** 20;
const MAX_WORK = 8 * PASSWORD_COST * CURRENT.blockSize * CURRENT.parallelization;
const MAX_STORED_LENGTH = 256;

/** A hash that no password has: all zeros. Verified where there is no account, so that both cases cost the same. */
const NOBODY: Omit<ScryptHash, 'cost'> = {
  ...CURRENT,
  salt: Buffer.alloc(SALT_BYTES),
  hash: Buffer.alloc(HASH_BYTES),
};

export const MIN_PASSWORD_LENGTH = 8;
const MAX_PASSWORD_LENGTH = 128;
/** UI_PASSWORD may be longer than a user's password. Longer passwords than this are wrong without being hashed. */
const MAX_VERIFIED_LENGTH = 4096;

/**
 * Checks a new password: 8 to 128 characters, counted as code points.
 * @throws HttpError `invalid_value` with `param`; the message never contains the password.
 */
export function parseNewPassword(value: unknown, param: string): string {
  if (typeof value !== 'string')
    throw new HttpError('invalid_value', `${param} must be a string.`, { param });
  // A bound in code units first, so that counting is cheap for any input.
  const length = value.length > 2 * MAX_PASSWORD_LENGTH ? Number.POSITIVE_INFINITY : [...value].length;
  if (length < MIN_PASSWORD_LENGTH || length > MAX_PASSWORD_LENGTH) {
    const range = `${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH}`;
    throw new HttpError('invalid_value', `${param} must have ${range} characters.`, { param });
  }
  if (!isHashable(value))
    throw new HttpError('invalid_value', `${param} must be valid Unicode without NUL.`, { param });
  return value;
}

/**
 * Hashes a password with a new salt: `scrypt$N$r$p$SALT$HASH`, salt and hash in base64url (RFC 7914).
 * @throws HttpError `too_many_attempts` if too many hashes wait.
 */
export async function hashPassword(password: string, options: NewHashOptions): Promise<string> {
  return hashWithSalt(password, options.randomBytes(SALT_BYTES), options);
}

/** As `hashPassword`, with the caller's salt of 16 bytes: for a hash that must be reproducible. */
export async function hashWithSalt(password: string, salt: Buffer, options: HashOptions): Promise<string> {
  const { cost } = options.work;
  const { blockSize, parallelization } = CURRENT;
  const target = { cost, blockSize, parallelization, salt, hash: Buffer.alloc(HASH_BYTES) };
  const hash = await options.work(() => derive(password, target), options.lane);
  return `scrypt$${cost}$${blockSize}$${parallelization}$${salt.toString('base64url')}$${hash.toString('base64url')}`;
}

/**
 * True if a password is the stored one. It takes the same time and the same place in the queue if the password is right,
 * if it is wrong, and if there is nothing to compare with (`stored` is damaged, or null: no such account).
 * @throws HttpError `too_many_attempts` if too many hashes wait.
 */
export async function verifyPassword(
  password: string,
  stored: string | null,
  options: HashOptions,
): Promise<boolean> {
  const parsed = stored === null ? null : parseStored(stored);
  const isUsable = password.length <= MAX_VERIFIED_LENGTH && isHashable(password);
  const target = parsed ?? { ...NOBODY, cost: options.work.cost };
  const hash = await options.work(() => derive(isUsable ? password : '', target), options.lane);
  const isEqual = timingSafeEqual(hash, target.hash);
  return isEqual && isUsable && parsed !== null;
}

/** Parses a stored hash; null if it is malformed, or needs more memory or time than any hash of ours. */
function parseStored(stored: string): ScryptHash | null {
  if (stored.length > MAX_STORED_LENGTH) return null;
  const match = /^scrypt\$(\d{1,7})\$(\d{1,3})\$(\d{1,3})\$([\w-]+)\$([\w-]+)$/.exec(stored);
  if (match === null) return null;
  const [, costText, blockSizeText, parallelizationText, saltText = '', hashText = ''] = match;
  const cost = Number(costText);
  const blockSize = Number(blockSizeText);
  const parallelization = Number(parallelizationText);
  const isPowerOfTwo = Number.isInteger(Math.log2(cost));
  if (!isPowerOfTwo || cost < MIN_COST || blockSize < 1 || parallelization < 1) return null;
  if (128 * cost * blockSize > MAX_MEMORY_BYTES || cost * blockSize * parallelization > MAX_WORK) return null;
  const salt = Buffer.from(saltText, 'base64url');
  const hash = Buffer.from(hashText, 'base64url');
  if (salt.length < 8 || hash.length < 16 || hash.length > 64) return null;
  return { cost, blockSize, parallelization, salt, hash };
}

/**
 * The scrypt of a password in Unicode normalisation form C (RFC 8265, section 4.2.2), so that the same characters typed on
 * another system are the same password.
 */
function derive(password: string, target: ScryptHash): Promise<Buffer> {
  const { cost, blockSize, parallelization, salt, hash } = target;
  const maxmem = 2 * MAX_MEMORY_BYTES;
  return new Promise((resolve, reject) => {
    scrypt(
      password.normalize('NFC'),
      salt,
      hash.length,
      { cost, blockSize, parallelization, maxmem },
      (error, derived) => {
        if (error === null) resolve(derived);
        else reject(error);
      },
    );
  });
}

/**
 * False for a password that scrypt would take for another one. Lone surrogates have no UTF-8 and all become U+FFFD. HMAC
 * pads its key with zeros (RFC 2104), so NULs at the end would not count.
 */
function isHashable(password: string): boolean {
  return !/[\p{Surrogate}\0]/u.test(password);
}
