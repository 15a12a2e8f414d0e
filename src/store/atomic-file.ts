import { dirname } from 'node:path';
import { errorCode, type FileOps, type FileStamp, type OpenFile, unlinkIfThere } from './file-ops.ts';

/** Everything of ours may hold secrets: only the owner reads it. */
export const FILE_MODE = 0o600;

/** What `rename` says where the target is itself a mount point (one file mounted into a container), or of another device. */
const NOT_REPLACEABLE: readonly string[] = ['EBUSY', 'EXDEV'];
/** What `fsync` on a folder says where the system has no such thing. */
const NO_FOLDER_SYNC: readonly string[] = ['EINVAL', 'ENOTSUP', 'EISDIR', 'ENOSYS'];
/** What Windows says for a moment while a virus scanner or an indexer holds the file. */
const WINDOWS_BUSY: readonly string[] = ['EPERM', 'EACCES', 'EBUSY'];
const WINDOWS_RETRIES = 8;
const WINDOWS_RETRY_MS = 25;

export interface ReplacePaths {
  readonly target: string;
  /** Does not exist yet; in the target's folder. */
  readonly temp: string;
  /** Where the complete new content stands while the target is overwritten in place. */
  readonly side: string;
}

export interface ReplaceOptions {
  readonly bytes: Uint8Array;
  /** False where the target is known to be torn: then there is no old content to go back to. */
  readonly isTargetWhole: boolean;
  /** Called when the new content is safe beside the target, right before it takes the target's place. */
  readonly beforeReplace: () => Promise<void>;
  /** Called where the target is going to be overwritten in place; whatever shares its content must be parted from it. */
  readonly beforeOverwrite: (content: Buffer | null) => Promise<void>;
}

export interface Replaced {
  readonly stamp: FileStamp;
  /** True where the target could only be overwritten in place; the side copy is then still there. */
  readonly inPlace: boolean;
}

/**
 * The write failed, and so did the way back: the target (or its side copy) may hold the new content although nobody may
 * count on it. What memory holds must be written again before anything else is.
 */
export class HalfWrittenError extends Error {
  override readonly name = 'HalfWrittenError';
}

/**
 * Replaces a file's content so that whoever reads it, now or after a crash, finds all of the old or all of the new:
 * temporary file, fsync, rename, fsync of the folder. Where the target cannot be renamed onto, the complete new content
 * is kept in a side copy while the target is overwritten.
 * @throws HalfWrittenError when the target may hold the new content; the system's error when the old content stands.
 */
export async function replaceFile(
  ops: FileOps,
  paths: ReplacePaths,
  options: ReplaceOptions,
): Promise<Replaced> {
  const stamp = await writeNewFile(ops, paths.temp, options.bytes);
  let isReplaced: boolean;
  try {
    await options.beforeReplace();
    isReplaced = await renameOver(ops, paths.temp, paths.target);
  } catch (error) {
    await unlinkQuietly(ops, paths.temp);
    throw error;
  }
  if (!isReplaced) return { stamp: await overwriteWithSideCopy(ops, paths, options), inPlace: true };
  try {
    await syncFolder(ops, dirname(paths.target));
  } catch (error) {
    throw new HalfWrittenError('The folder could not be synced.', { cause: error });
  }
  return { stamp, inPlace: false };
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
 * Writes a file that is either not there or whole, also after a crash; one of its name is replaced.
 * @throws the system's error; nothing is left behind then.
 */
export async function writeWholeFile(
  ops: FileOps,
  { path, temp }: { readonly path: string; readonly temp: string },
  bytes: Uint8Array,
): Promise<void> {
  await writeNewFile(ops, temp, bytes);
  try {
    await ops.rename(temp, path);
  } catch (error) {
    await unlinkQuietly(ops, temp);
    throw error;
  }
  await syncFolder(ops, dirname(path));
}

/** Waits until the folder's entries are on the disk; does nothing where the system cannot do that. */
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

/** Reads a whole file of at most `limitBytes`; null where there is none, `too-large` where it is larger. */
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

/** Runs a piece of work and closes the file whatever comes of it; a failing close counts as a failure. */
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

async function overwriteWithSideCopy(
  ops: FileOps,
  paths: ReplacePaths,
  options: ReplaceOptions,
): Promise<FileStamp> {
  let previous: Buffer | null;
  try {
    previous = options.isTargetWhole ? await readAll(ops, paths.target) : null;
    await options.beforeOverwrite(previous);
    await ops.rename(paths.temp, paths.side);
    await syncFolder(ops, dirname(paths.side));
  } catch (error) {
    await unlinkQuietly(ops, paths.temp);
    if (options.isTargetWhole) await unlinkQuietly(ops, paths.side);
    throw error;
  }
  try {
    return await overwrite(ops, paths.target, options.bytes);
  } catch (error) {
    // Whole again with the old content, or torn with a whole content beside it: never torn alone.
    if (previous === null || !(await isOverwritten(ops, paths.target, previous))) {
      throw new HalfWrittenError('The file could only be overwritten in part.', { cause: error });
    }
    await unlinkQuietly(ops, paths.side);
    throw error;
  }
}

/** Never truncates first, so that a crash leaves bytes to see that something was there. */
async function overwrite(ops: FileOps, path: string, bytes: Uint8Array): Promise<FileStamp> {
  const file = await ops.open(path, 'r+');
  return await closeAfter(file, async () => {
    await writeAll(file, bytes);
    await file.truncate(bytes.length);
    await file.sync();
    return await file.facts();
  });
}

async function isOverwritten(ops: FileOps, path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    await overwrite(ops, path, bytes);
    return true;
  } catch {
    return false;
  }
}

async function readAll(ops: FileOps, path: string): Promise<Buffer> {
  const file = await ops.open(path, 'r');
  return await closeAfter(file, () => file.read(Number.MAX_SAFE_INTEGER));
}

async function writeAll(file: OpenFile, bytes: Uint8Array): Promise<void> {
  let position = 0;
  while (position < bytes.length) position += await file.write(bytes, position, position);
}

/** False where the target can only be overwritten in place. */
async function renameOver(ops: FileOps, from: string, to: string): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await ops.rename(from, to);
      return true;
    } catch (error) {
      const isBusy = process.platform === 'win32' && WINDOWS_BUSY.includes(errorCode(error));
      if (!isBusy && NOT_REPLACEABLE.includes(errorCode(error))) return false;
      if (!isBusy || attempt > WINDOWS_RETRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, WINDOWS_RETRY_MS * attempt));
    }
  }
}

async function unlinkQuietly(ops: FileOps, path: string): Promise<void> {
  // What stays behind is removed at the next start.
  await unlinkIfThere(ops, path).catch(() => {});
}
