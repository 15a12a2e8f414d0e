import { type FileHandle, link, open, readdir, rename, stat, unlink } from 'node:fs/promises';

/** Identifies a file's content without reading it. */
export interface FileStamp {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

export interface FileFacts extends FileStamp {
  readonly kind: 'file' | 'directory' | 'other';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
}

export interface OpenFile {
  /** Writes some of the bytes at a position; returns how many. */
  write(bytes: Uint8Array, offset: number, position: number): Promise<number>;
  /** Reads from the start up to `limitBytes`. */
  read(limitBytes: number): Promise<Buffer>;
  chmod(mode: number): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  sync(): Promise<void>;
  facts(): Promise<FileFacts>;
  close(): Promise<void>;
}

/** Every call that the store makes to the file system. A test can make each of them fail or hang. */
export interface FileOps {
  open(path: string, flags: string, mode?: number): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  link(existing: string, path: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Follows links. */
  facts(path: string): Promise<FileFacts>;
  list(folder: string): Promise<string[]>;
}

/** The real file system. */
export const nodeFileOps: FileOps = {
  open: async (path, flags, mode) => toOpenFile(await open(path, flags, mode)),
  rename,
  link,
  unlink,
  facts: async (path) => toFacts(await stat(path, { bigint: true })),
  list: (folder) => readdir(folder),
};

/**
 * The code of a system error such as `ENOENT`; empty for anything else.
 * @example if (errorCode(error) === 'ENOENT') return null;
 */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** The facts of a file, or null if there is none. @throws the system's other errors. */
export async function factsOrNull(ops: FileOps, path: string): Promise<FileFacts | null> {
  try {
    return await ops.facts(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Removes a file if it is there. @throws the system's errors other than its absence. */
export async function unlinkIfThere(ops: FileOps, path: string): Promise<void> {
  try {
    await ops.unlink(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** True if both stamps are of the same file with the same content, as far as the file system tells. */
export function isSameStamp(one: FileStamp, other: FileStamp): boolean {
  return (
    one.dev === other.dev && one.ino === other.ino && one.size === other.size && one.mtimeNs === other.mtimeNs
  );
}

interface BigStats extends FileStamp {
  readonly mode: bigint;
  readonly uid: bigint;
  isFile(): boolean;
  isDirectory(): boolean;
}

function toFacts(stats: BigStats): FileFacts {
  const { dev, ino, size, mtimeNs } = stats;
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other';
  return { dev, ino, size, mtimeNs, kind, mode: Number(stats.mode) & 0o7777, uid: Number(stats.uid) };
}

function toOpenFile(handle: FileHandle): OpenFile {
  return {
    write: async (bytes, offset, position) =>
      (await handle.write(bytes, offset, bytes.length - offset, position)).bytesWritten,
    read: (limitBytes) => readUpTo(handle, limitBytes),
    chmod: (mode) => handle.chmod(mode),
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
    sync: () => handle.sync(),
    facts: async () => toFacts(await handle.stat({ bigint: true })),
    close: () => handle.close(),
  };
}

async function readUpTo(handle: FileHandle, limitBytes: number): Promise<Buffer> {
  const { size } = await handle.stat();
  // One byte more than expected, to notice a file that grows meanwhile.
  const buffer = Buffer.allocUnsafe(Math.min(size + 1, limitBytes));
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}
