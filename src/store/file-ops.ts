import type { BigIntStats } from 'node:fs';
import { type FileHandle, link, open, readdir, rename, stat, unlink } from 'node:fs/promises';

/** Every call that the store makes to the file system. A test can make each of them fail or hang. */
export interface FileOps {
  open(path: string, flags: string, mode?: number): Promise<FileHandle>;
  rename(from: string, to: string): Promise<void>;
  link(existing: string, path: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Follows links. */
  stat(path: string): Promise<BigIntStats>;
  list(folder: string): Promise<string[]>;
}

/** The real file system. */
export const nodeFileOps: FileOps = {
  open,
  rename,
  link,
  unlink,
  stat: (path) => stat(path, { bigint: true }),
  list: (folder) => readdir(folder),
};

/** Identifies a file's content without reading it. */
export type FileStamp = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs'>;

/** True if both stamps are of the same file with the same content, as far as the file system tells. */
export function isSameStamp(one: FileStamp, other: FileStamp): boolean {
  return (
    one.dev === other.dev && one.ino === other.ino && one.size === other.size && one.mtimeNs === other.mtimeNs
  );
}

/**
 * The code of a system error such as `ENOENT`, or of the error behind it; empty for anything else.
 * @example if (errorCode(error) === 'ENOENT') return null;
 */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return 'code' in error && typeof error.code === 'string' ? error.code : errorCode(error.cause);
}

/** Null instead of the error that a file is missing. @throws the system's other errors. */
export async function orMissing<T>(result: Promise<T>): Promise<T | null> {
  try {
    return await result;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
