import { dirname } from 'node:path';
import { errorCode, type FileOps, type FileStamp, type OpenFile, unlinkIfThere } from './file-ops.ts';

/** Every file of the store may hold secrets: only the owner reads it. */
export const FILE_MODE = 0o600;

/** The codes of `rename` where the target is itself a mount point (one file mounted into a container). */
const NOT_REPLACEABLE: readonly string[] = ['EBUSY', 'EXDEV'];
/** The codes of `fsync` on a folder where the system cannot do that. */
const NO_FOLDER_SYNC: readonly string[] = ['EINVAL', 'ENOTSUP', 'EISDIR', 'ENOSYS'];
/** The codes on Windows for a moment while a virus scanner or an indexer holds the file. */
const WINDOWS_BUSY: readonly string[] = ['EPERM', 'EACCES', 'EBUSY'];
const WINDOWS_RETRIES = 8;
const WINDOWS_RETRY_MS = 25;

/** A file to write, and a name in the same folder that does not exist yet. */
export interface WholeFilePaths {
  readonly path: string;
  readonly temp: string;
}

/** The file is a mount point: it can only be overwritten in place. */
export class NotReplaceableError extends Error {
  override readonly name = 'NotReplaceableError';
}

/** The new content took the file's place, but may not be durable. */
export class UnsyncedError extends Error {
  override readonly name = 'UnsyncedError';
}

/**
 * Writes a file so that whoever reads it, now or after a crash, finds all of the old or all of the new content: temporary
 * file, fsync, rename, fsync of the folder. Calls `beforeRename` when the new content is safe beside the file.
 * @throws NotReplaceableError; UnsyncedError if the file may hold the new content; the system's error if the old content
 * stands. Nothing is left behind.
 */
export async function writeWholeFile(
  ops: FileOps,
  { path, temp }: WholeFilePaths,
  bytes: Uint8Array,
  beforeRename: () => Promise<void> = async () => {},
): Promise<FileStamp> {
  const stamp = await writeNewFile(ops, temp, bytes);
  try {
    await beforeRename();
    await renameOver(ops, temp, path);
  } catch (error) {
    await unlinkQuietly(ops, temp);
    if (NOT_REPLACEABLE.includes(errorCode(error))) {
      throw new NotReplaceableError('The file is a mount point.', { cause: error });
    }
    throw error;
  }
  try {
    await syncFolder(ops, dirname(path));
  } catch (error) {
    throw new UnsyncedError('The folder could not be synced.', { cause: error });
  }
  return stamp;
}

/**
 * Writes a file that does not exist yet, mode 0600 whatever the umask, and waits until it is on the disk.
 * @throws the system's error; nothing is left behind then.
 */
export async function writeNewFile(ops: FileOps, path: string, bytes: Uint8Array): Promise<FileStamp> {
  const file = await ops.open(path, 'wx', FILE_MODE);
  try {
    return await closeAfter(file, async () => {
      await file.chmod(FILE_MODE);
      await writeAll(file, bytes);
      await file.sync();
      return await file.facts();
    });
  } catch (error) {
    await unlinkQuietly(ops, path);
    throw error;
  }
}

/**
 * Overwrites a file in place, durably. Never truncates first, so that a crash leaves bytes that show that something was
 * there. @throws the system's error; the file may then be torn.
 */
export async function overwriteFile(ops: FileOps, path: string, bytes: Uint8Array): Promise<FileStamp> {
  const file = await ops.open(path, 'r+');
  return await closeAfter(file, async () => {
    await writeAll(file, bytes);
    await file.truncate(bytes.length);
    await file.sync();
    return await file.facts();
  });
}

/** Reads a whole file of at most `limitBytes`; null: there is none; `too-large`: it is larger. */
export async function readWholeFile(
  ops: FileOps,
  path: string,
  limitBytes: number,
): Promise<Buffer | 'too-large' | null> {
  let file: OpenFile;
  try {
    file = await ops.open(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  const bytes = await closeAfter(file, () => file.read(limitBytes + 1));
  return bytes.length > limitBytes ? 'too-large' : bytes;
}

/** Does some work and closes the file, whatever becomes of the work; a failing close counts as a failure. */
export async function closeAfter<T>(file: OpenFile, work: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
  await file.close();
  return result;
}

/** Waits until the folder's entries are on the disk, where the system can do that. */
async function syncFolder(ops: FileOps, folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await ops.open(folder, 'r');
  await closeAfter(handle, async () => {
    try {
      await handle.sync();
    } catch (error) {
      if (!NO_FOLDER_SYNC.includes(errorCode(error))) throw error;
    }
  });
}

async function writeAll(file: OpenFile, bytes: Uint8Array): Promise<void> {
  let position = 0;
  while (position < bytes.length) position += await file.write(bytes, position, position);
}

async function renameOver(ops: FileOps, from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ops.rename(from, to);
    } catch (error) {
      const isBusy = process.platform === 'win32' && WINDOWS_BUSY.includes(errorCode(error));
      if (!isBusy || attempt > WINDOWS_RETRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, WINDOWS_RETRY_MS * attempt));
    }
  }
}

async function unlinkQuietly(ops: FileOps, path: string): Promise<void> {
  // What stays behind is removed at the next start.
  await unlinkIfThere(ops, path).catch(() => {});
}
