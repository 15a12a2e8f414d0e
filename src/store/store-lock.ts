import { link, open, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { isRecord } from '../json/value.ts';
import { StoreStartError } from './document-error.ts';
import { errorCode, orMissing } from './file-ops.ts';
import { canConnect, closeSocket, listenOnSocket } from './liveness-socket.ts';
import { isOtherProcess, processIdentity } from './process-identity.ts';
import type { StorePaths } from './store-paths.ts';

/** The exclusive right of one process to a database file. */
export type StoreLock = Pick<FileLock, keyof FileLock>;

/** What the lock file says. */
interface LockRecord {
  /** 1 once something was stored; one digit, so that it can be changed in place. */
  readonly settled: 0 | 1;
  /** Names the lock and its socket. */
  readonly nonce: string;
  readonly pid: number;
  /** As `processIdentity`; null where the system does not tell, absent in locks of earlier versions. */
  readonly identity?: string | null;
}

const TAKE_OVER_ATTEMPTS = 5;
const SETTLED_START = '{"settled":';
/** A lock file that cannot be read stands for a dead process that may have stored something; it has no socket. */
const UNREADABLE: LockRecord = { settled: 1, nonce: '', pid: 0 };

/**
 * Takes the lock of a database file: a lock file, and a Unix socket beside it on which the owner listens. The kernel
 * closes the socket of a dead process, so a connection proves that the owner lives. That also holds across containers
 * that share a folder (each with a pid 1), after a pid was reused, and while the owner is stopped.
 * Where no socket answers (Windows, some network folders, a very long path, a socket file that somebody deleted) the
 * process with the recorded number counts as the owner if it is still the same process.
 * @throws StoreStartError if a living process holds the lock; the system's error if the folder cannot be written.
 */
export async function acquireStoreLock(
  paths: StorePaths,
  options: { readonly randomBytes: (count: number) => Buffer },
): Promise<StoreLock> {
  const nonce = options.randomBytes(4).toString('hex');
  const socket = await listenOnSocket(paths.socket(nonce));
  try {
    const { pid } = process;
    const record: LockRecord = { settled: 0, nonce, pid, identity: await processIdentity(pid) };
    let hasReplacedSettled = false;
    for (let attempt = 0; attempt < TAKE_OVER_ATTEMPTS; attempt += 1) {
      if (await createLock(paths, record)) return new FileLock(paths, { record, socket, hasReplacedSettled });
      const other = await readLock(paths.lock);
      if (other === null) continue;
      if (await isAlive(other, paths)) throw inUse(paths, other);
      if (await removeLock(paths, other, nonce)) hasReplacedSettled ||= other.settled === 1;
    }
    throw new StoreStartError(`The database ${paths.target} is being opened by another process; try again.`);
  } catch (error) {
    await closeSocket(socket);
    throw error;
  }
}

async function isAlive({ nonce, pid, identity }: LockRecord, paths: StorePaths): Promise<boolean> {
  if (await canConnect(paths.socket(nonce))) return true;
  if (identity === null) return isOtherProcess(pid);
  return identity !== undefined && identity === (await processIdentity(pid));
}

class FileLock {
  /** True if this lock took over the lock of a dead process that had stored something. */
  readonly hasReplacedSettled: boolean;
  readonly #paths: StorePaths;
  #record: LockRecord;
  readonly #socket: Server | null;

  constructor(
    paths: StorePaths,
    held: {
      readonly record: LockRecord;
      readonly socket: Server | null;
      readonly hasReplacedSettled: boolean;
    },
  ) {
    this.#paths = paths;
    this.#record = held.record;
    this.#socket = held.socket;
    this.hasReplacedSettled = held.hasReplacedSettled;
  }

  /** True for the name of a file that belongs to this lock. */
  isOwn(name: string): boolean {
    return name.endsWith(this.#record.nonce);
  }

  /** False once another process has taken over the lock. Takes the lock again if somebody removed its file. */
  async isHeld(): Promise<boolean> {
    const owner = await readLock(this.#paths.lock);
    if (owner !== null) return owner.nonce === this.#record.nonce;
    return (await createLock(this.#paths, this.#record)) || (await this.isHeld());
  }

  /** Notes that something was stored under this lock: from then on an empty database file is a torn one. */
  async settle(): Promise<void> {
    if (this.#record.settled === 1) return;
    this.#record = { ...this.#record, settled: 1 };
    if (!(await this.isHeld())) return;
    const file = await open(this.#paths.lock, 'r+');
    try {
      await file.write('1', SETTLED_START.length);
    } finally {
      await file.close();
    }
  }

  /** Removes the lock file and the socket. */
  async release(): Promise<void> {
    const owner = await readLock(this.#paths.lock).catch(() => null);
    if (owner?.nonce === this.#record.nonce) await unlink(this.#paths.lock).catch(() => {});
    await closeSocket(this.#socket);
  }
}

/** Makes the lock file; false if there is one. @throws the system's other errors. */
async function createLock(paths: StorePaths, record: LockRecord): Promise<boolean> {
  const temp = `${paths.lock}.${record.nonce}`;
  const create = (path: string): Promise<void> =>
    writeFile(path, `${JSON.stringify(record)}\n`, { flag: 'wx', mode: 0o600 });
  try {
    await create(temp);
    // A link makes the file whole from its first moment.
    await link(temp, paths.lock).catch((error) => {
      if (errorCode(error) === 'EEXIST') throw error;
      // No hard links on this file system: another process may see the file before its content.
      return create(paths.lock);
    });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(temp).catch(() => {});
  }
}

/** Removes a stale lock; false if it was no longer the lock that was judged. @throws the system's errors. */
async function removeLock(paths: StorePaths, judged: LockRecord, nonce: string): Promise<boolean> {
  const moved = `${paths.lock}.${nonce}`;
  await orMissing(rename(paths.lock, moved));
  const found = await readLock(moved);
  if (found === null) return false;
  const isJudged = found.nonce === judged.nonce;
  // Another process was faster and this is its lock: give it back.
  if (!isJudged) await link(moved, paths.lock).catch(() => {});
  await unlink(moved);
  if (isJudged) await unlink(paths.socket(judged.nonce)).catch(() => {});
  return isJudged;
}

/** Null if there is no lock. @throws the system's other errors. */
async function readLock(path: string): Promise<LockRecord | null> {
  const text = await orMissing(readFile(path, 'utf8'));
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isLockRecord(value) ? value : UNREADABLE;
  } catch {
    return UNREADABLE;
  }
}

function isLockRecord(value: unknown): value is LockRecord {
  return (
    isRecord(value) &&
    Number.isSafeInteger(value['pid']) &&
    typeof value['nonce'] === 'string' &&
    /^[0-9a-f]+$/.test(value['nonce'])
  );
}

function inUse(paths: StorePaths, other: LockRecord): StoreStartError {
  return new StoreStartError(
    `The database ${paths.target} is in use by another process (pid ${other.pid}); stop that one, or set DB_PATH to another file.`,
  );
}
