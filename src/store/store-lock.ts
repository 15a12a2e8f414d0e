import { link, open, readFile, rename, unlink } from 'node:fs/promises';
import type { Server } from 'node:net';
import { isRecord } from '../json/value.ts';
import { StoreStartError } from './document-error.ts';
import { errorCode } from './file-ops.ts';
import { canConnect, closeSocket, listenOnSocket } from './liveness-socket.ts';
import type { StorePaths } from './store-paths.ts';

/** The exclusive right of one process to a database file. */
export interface StoreLock {
  /** True if this lock took over the lock of a dead process that had stored something. */
  readonly hasReplacedSettled: boolean;
  /** True for the name of a file that belongs to this lock. */
  isOwn(name: string): boolean;
  /** False once another process has taken over the lock. Takes the lock again if somebody removed its file. */
  isHeld(): Promise<boolean>;
  /** Notes that something was stored under this lock: from then on an empty database file is a torn one. */
  settle(): Promise<void>;
  release(): Promise<void>;
}

interface LockRecord {
  /** 1 once something was stored; one digit, so that it can be changed in place. */
  readonly settled: 0 | 1;
  /** Names the lock and its socket. */
  readonly nonce: string;
  /** For people. */
  readonly pid: number;
}

const TAKE_OVER_ATTEMPTS = 5;
const SETTLED_START = '{"settled":';

/**
 * Takes the lock of a database file: a lock file, and a Unix socket beside it on which the owner listens. The kernel
 * closes the socket of a dead process, so that whoever can connect has met a living owner: across containers that share
 * a folder (each with a pid 1), after a pid was reused, and while the owner is stopped.
 * Where there can be no socket (Windows, some network folders, a very long name) the newest process takes over, and the
 * older one notices before its next write and writes no more.
 * @throws StoreStartError if a living process holds the lock; the system's error if the folder cannot be written.
 */
export async function acquireStoreLock(
  paths: StorePaths,
  options: { readonly randomBytes: (count: number) => Buffer },
): Promise<StoreLock> {
  const nonce = options.randomBytes(4).toString('hex');
  const socket = await listenOnSocket(paths.socket(nonce));
  try {
    const record: LockRecord = { settled: 0, nonce, pid: process.pid };
    let hasReplacedSettled = false;
    for (let attempt = 0; attempt < TAKE_OVER_ATTEMPTS; attempt += 1) {
      if (await createLock(paths, record)) return new FileLock(paths, { record, socket, hasReplacedSettled });
      const other = await readLock(paths.lock);
      if (other === 'missing') continue;
      if (other !== 'unreadable' && (await canConnect(paths.socket(other.nonce)))) throw inUse(paths, other);
      const isTakenOver = await removeLock(paths, other, nonce);
      hasReplacedSettled ||= isTakenOver && (other === 'unreadable' || other.settled === 1);
    }
    throw new StoreStartError(`The database ${paths.target} is being opened by another process; try again.`);
  } catch (error) {
    await closeSocket(socket);
    throw error;
  }
}

class FileLock implements StoreLock {
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

  isOwn(name: string): boolean {
    return name.endsWith(this.#record.nonce);
  }

  async isHeld(): Promise<boolean> {
    let owner = await readLock(this.#paths.lock);
    if (owner === 'missing') {
      if (await createLock(this.#paths, this.#record)) return true;
      owner = await readLock(this.#paths.lock);
    }
    return typeof owner === 'object' && owner.nonce === this.#record.nonce;
  }

  async settle(): Promise<void> {
    this.#record = { ...this.#record, settled: 1 };
    if (!(await this.isHeld())) return;
    const file = await open(this.#paths.lock, 'r+');
    try {
      await file.write('1', SETTLED_START.length);
    } finally {
      await file.close();
    }
  }

  async release(): Promise<void> {
    const owner = await readLock(this.#paths.lock).catch(() => 'unreadable' as const);
    if (nonceOf(owner) === this.#record.nonce) await unlink(this.#paths.lock).catch(() => {});
    await closeSocket(this.#socket);
  }
}

/** Makes the lock file, whole from its first moment; false if there is one. */
async function createLock(paths: StorePaths, record: LockRecord): Promise<boolean> {
  const temp = `${paths.lock}.${record.nonce}`;
  await writeExclusively(temp, record);
  try {
    await link(temp, paths.lock);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    // No hard links on this file system: another process may see the file before its content.
    return await writeExclusively(paths.lock, record);
  } finally {
    await unlink(temp).catch(() => {});
  }
}

/** False if the file exists. @throws the system's other errors. */
async function writeExclusively(path: string, record: LockRecord): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(record)}\n`);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a stale lock; false if it was no longer the lock that was judged. */
async function removeLock(
  paths: StorePaths,
  judged: LockRecord | 'unreadable',
  nonce: string,
): Promise<boolean> {
  const moved = `${paths.lock}.${nonce}`;
  try {
    await rename(paths.lock, moved);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
  const found = await readLock(moved);
  const isJudged = nonceOf(found) === nonceOf(judged);
  // Another process was faster and this is its lock: give it back.
  if (!isJudged) await link(moved, paths.lock).catch(() => {});
  await unlink(moved);
  if (isJudged && judged !== 'unreadable') await unlink(paths.socket(judged.nonce)).catch(() => {});
  return isJudged;
}

function nonceOf(record: LockRecord | 'missing' | 'unreadable'): string | null {
  return typeof record === 'object' ? record.nonce : null;
}

async function readLock(path: string): Promise<LockRecord | 'missing' | 'unreadable'> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'missing';
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    return isLockRecord(value) ? value : 'unreadable';
  } catch {
    return 'unreadable';
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
