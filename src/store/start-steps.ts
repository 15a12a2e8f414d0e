import { closeAfter, FILE_MODE, readWholeFile, writeWholeFile } from './atomic-file.ts';
import { DOCUMENT_LIMIT_BYTES, type DocumentCodec, parseRawDocument } from './document.ts';
import { DocumentError, StoreStartError } from './document-error.ts';
import { errorCode, type FileOps, factsOrNull, unlinkIfThere } from './file-ops.ts';
import type { KnownFile } from './store-disk.ts';
import type { Loaded } from './store-loader.ts';
import type { StorePaths } from './store-paths.ts';
import type { VersionHistory } from './version-history.ts';

export interface StartStepOptions {
  readonly ops: FileOps;
  readonly paths: StorePaths;
  readonly now: () => number;
}

/** What the file holds when the store starts, for its first write. */
export function knownFile(loaded: Loaded, history: VersionHistory): KnownFile {
  const { document, file, checksum, origin } = loaded;
  const newest = history.versions[0]?.number ?? 0;
  // A restored file counts from the newest backup on, so that "newest" keeps its meaning.
  const generation = document.generation >= newest ? document.generation : newest + 1;
  const stamp = file?.stamp ?? null;
  return {
    stamp,
    checksum,
    generation,
    savedAtMs: stamp === null ? 0 : Number(stamp.mtimeNs / 1_000_000n),
    isSure: origin !== 'backup' && origin !== 'side-copy',
  };
}

/** Removes useless files that a dead process left behind. */
export async function removeStrays(
  { ops, paths }: StartStepOptions,
  names: readonly string[],
  isOwn: (name: string) => boolean,
): Promise<void> {
  for (const name of names)
    if (paths.isStray(name) && !isOwn(name)) await unlinkIfThere(ops, paths.join(name));
}

/**
 * Keeps the file's bytes before other content replaces them: the original of a migration, an unusable or a torn file.
 * @throws StoreStartError if that fails: then nothing may overwrite the file.
 */
export async function keepOriginal(options: StartStepOptions, loaded: Loaded): Promise<void> {
  const { ops, paths } = options;
  if (loaded.file === null || loaded.file.bytes.length === 0) return;
  const { bytes } = loaded.file;
  try {
    const corrupt = paths.aside('corrupt', options.now());
    if (bytes === 'too-large') await ops.link(paths.target, corrupt);
    else if (loaded.origin === 'backup') await keep(options, corrupt, bytes);
    else if (loaded.origin === 'side-copy') await keep(options, paths.torn, bytes);
    else if (loaded.origin === 'migration') await keepBeforeMigration(options, bytes);
  } catch (error) {
    const problem = `could not be kept beside its successor (${errorCode(error)})`;
    throw new StoreStartError(`The old content of ${paths.target} ${problem}; make room, or move it away.`, {
      cause: error,
    });
  }
}

/** An interrupted start may have kept the original already. A different file of that name is never overwritten. */
async function keepBeforeMigration(options: StartStepOptions, bytes: Buffer): Promise<void> {
  const path = options.paths.beforeMigration;
  const kept = await readWholeFile(options.ops, path, DOCUMENT_LIMIT_BYTES);
  if (Buffer.isBuffer(kept) && kept.equals(bytes)) return;
  await keep(options, kept === null ? path : `${path}-${options.now()}`, bytes);
}

async function keep({ ops, paths }: StartStepOptions, path: string, bytes: Buffer): Promise<void> {
  await writeWholeFile(ops, { path, temp: paths.temp('aside') }, bytes);
}

/** Removes the rights of group and others from a file that came from elsewhere, if possible. */
export async function closeToOthers({ ops, paths }: StartStepOptions): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    const facts = await factsOrNull(ops, paths.target);
    if (facts === null || (facts.mode & 0o077) === 0) return;
    const file = await ops.open(paths.target, 'r');
    await closeAfter(file, () => file.chmod(FILE_MODE));
  } catch {
    // The file belongs to another user: we may only read and replace it.
  }
}

/** Seals the provider keys in all backups with the present key, so that the previous key is no longer needed. */
export async function resealBackups(
  { ops, paths }: StartStepOptions,
  codec: DocumentCodec,
  history: VersionHistory,
): Promise<void> {
  for (const { number } of history.versions) {
    const target = paths.backup(number);
    const bytes = await readWholeFile(ops, target, DOCUMENT_LIMIT_BYTES);
    const resealed = Buffer.isBuffer(bytes) ? reseal(bytes, codec) : null;
    if (resealed === null) continue;
    await writeWholeFile(ops, { path: target, temp: paths.temp(`reseal-${number}`) }, resealed);
  }
}

/** The same document with its keys sealed anew; null if nothing is to be done or it cannot be read. */
function reseal(bytes: Buffer, codec: DocumentCodec): Buffer | null {
  try {
    const { schemaVersion, object } = parseRawDocument(bytes);
    if (schemaVersion === 0) return null;
    const document = codec.decode(object);
    return document.hasStaleSecrets ? codec.encode(document).bytes : null;
  } catch (error) {
    if (error instanceof DocumentError) return null;
    throw error;
  }
}
