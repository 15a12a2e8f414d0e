import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, type FileOps, type FileStamp, orMissing } from './file-ops.ts';

/** Every file of the store may hold secrets: only the owner reads it. */
export const FILE_MODE = 0o600;

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

/**
 * Writes a file so that whoever reads it, now or after a crash, finds all of the old or all of the new content: temporary
 * file, fsync, rename, fsync of the folder.
 * @throws the system's error; no temporary file is left behind then.
 */
export async function writeWholeFile(
  ops: FileOps,
  { path, temp }: WholeFilePaths,
  bytes: Uint8Array,
): Promise<FileStamp> {
  const stamp = await writeNewFile(ops, temp, bytes);
  try {
    await renameOver(ops, temp, path);
  } catch (error) {
    await discard(ops, temp);
    throw error;
  }
  await syncFolder(ops, dirname(path));
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
      return await file.stat({ bigint: true });
    });
  } catch (error) {
    await discard(ops, path);
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
    return await file.stat({ bigint: true });
  });
}

/** Reads a whole file of at most `limitBytes`; null: there is none; `too-large`: it is larger. */
export async function readWholeFile(
  ops: FileOps,
  path: string,
  limitBytes: number,
): Promise<Buffer | 'too-large' | null> {
  const file = await orMissing(ops.open(path, 'r'));
  if (file === null) return null;
  return await closeAfter(file, async () => {
    const { size } = await file.stat({ bigint: true });
    return size > limitBytes ? 'too-large' : await file.readFile();
  });
}

/** Waits until the folder's entries are on the disk, where the system can do that. */
export async function syncFolder(ops: FileOps, folder: string): Promise<void> {
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

/** Renames a file onto another one. @throws the system's error. */
export async function renameOver(ops: FileOps, from: string, to: string): Promise<void> {
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

/** Removes an unfinished file, if possible: the next start removes what stays behind. */
export async function discard(ops: FileOps, path: string): Promise<void> {
  await ops.unlink(path).catch(() => {});
}

/** Does some work and closes the file even if the work fails; a failing close counts as a failure. */
async function closeAfter<T>(file: FileHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let position = 0;
  while (position < bytes.length) {
    position += (await file.write(bytes, position, bytes.length - position, position)).bytesWritten;
  }
}
