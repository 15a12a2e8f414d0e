import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { isRecord, parseJson } from '../../json/value.ts';
import { readWholeFile, writeWholeFile } from '../../store/atomic-file.ts';
import { type FileOps, orMissing } from '../../store/file-ops.ts';

/** All files of an archive together, before it is compressed. */
const ARCHIVE_LIMIT_BYTES = 32 * 1024 * 1024;
const HEAD_LIMIT_BYTES = 256 * 1024;
const FORMAT = 'ipin-proxy-usage';
const VERSION = 1;
/** The file of budgets lies in the ledger's folder and goes along into its archive. */
export const BUDGETS_FILE = 'budgets';
/** The names of files that an archive may hold. */
const NAME = /^(names|budgets|days-\d{4}-\d{2}|hours-\d{4}-\d{2}-\d{2}\.(open|sealed))$/;

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/**
 * Packs files of a folder into one compressed archive: a line of JSON that names them with their sizes, then their bytes. Files
 * that go beyond the limit are left out, the last first.
 * @throws the system's error.
 */
export async function packFiles(ops: FileOps, folder: string, names: readonly string[]): Promise<Buffer> {
  const files: [name: string, size: number][] = [];
  const contents: Buffer[] = [];
  let room = ARCHIVE_LIMIT_BYTES;
  for (const name of names) {
    const bytes = await readWholeFile(ops, join(folder, name), room);
    if (!Buffer.isBuffer(bytes)) continue;
    room -= bytes.length;
    files.push([name, bytes.length]);
    contents.push(bytes);
  }
  const head = Buffer.from(`${JSON.stringify({ format: FORMAT, version: VERSION, files })}\n`);
  return await compress(Buffer.concat([head, ...contents]));
}

/**
 * Writes the files of an archive into a folder; files that exist are left as they are. Returns how many were written.
 * @throws ArchiveError if the bytes are no archive; the system's error.
 */
export async function unpackFiles(ops: FileOps, folder: string, archive: Buffer): Promise<number> {
  let written = 0;
  for (const [name, bytes] of await readArchive(archive)) {
    const path = join(folder, name);
    if ((await orMissing(ops.stat(path))) !== null) continue;
    await writeWholeFile(ops, { path, temp: `${path}.tmp` }, bytes);
    written += 1;
  }
  return written;
}

/** The bytes are no archive of usage. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

async function readArchive(archive: Buffer): Promise<[name: string, bytes: Buffer][]> {
  const limit = ARCHIVE_LIMIT_BYTES + HEAD_LIMIT_BYTES;
  const content = await decompress(archive, { maxOutputLength: limit }).catch((cause: unknown) => {
    throw new ArchiveError('It cannot be decompressed.', { cause });
  });
  const end = content.indexOf('\n');
  const head = parseJson(content.subarray(0, Math.max(0, end)));
  const { format, version, files } = isRecord(head) ? head : {};
  if (format !== FORMAT || version !== VERSION || !Array.isArray(files)) {
    throw new ArchiveError('It was not made by this version of the program.');
  }
  const entries: readonly unknown[] = files;
  let start = end + 1;
  return entries.map((entry) => {
    const [name, size]: readonly unknown[] = Array.isArray(entry) ? entry : [];
    const isSound = typeof name === 'string' && NAME.test(name) && Number.isSafeInteger(size);
    const last = start + Number(size);
    if (!isSound || last < start || last > content.length)
      throw new ArchiveError('Its list of files is wrong.');
    const bytes = content.subarray(start, last);
    start = last;
    return [name, bytes];
  });
}
