import { randomBytes } from 'node:crypto';
import {
  access,
  chmod,
  constants,
  lstat,
  mkdir,
  mkdtemp,
  readlink,
  realpath,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { StoreStartError } from './document-error.ts';
import { errorCode } from './file-ops.ts';

/** The file's name if only its folder is given. */
export const DEFAULT_NAME = 'ipin-proxy.db';
/** As on Linux: more links in a row are a loop. */
const LINKS_LIMIT = 40;

/** Where the database file lives, and whether it lasts there. */
export interface StoreLocation {
  /** Absolute, links resolved. */
  readonly path: string;
  /**
   * `persistent`: as usual. `volatile`: in the temporary folder, gone with the machine. `read-only`: nothing can be
   * written anywhere; what can be read is served.
   */
  readonly mode: 'persistent' | 'volatile' | 'read-only';
  /** Why it is not persistent, one sentence for log and panel; null if it is. */
  readonly reason: string | null;
  /** A file to start from if there is no database yet. */
  readonly seedPath: string | null;
}

export interface LocateOptions {
  /** As `DB_PATH` says; null: not set. */
  readonly dbPath: string | null;
  /** True if `RENDER` is set: then only a mounted disk lasts. */
  readonly onRender: boolean;
  readonly workingFolder: string;
  readonly temporaryFolder: string;
  /** Where the program itself lives. */
  readonly programFolder: string;
  /** Where the host puts secret files: `/etc/secrets`. */
  readonly secretsFolder: string;
  readonly folders?: FolderProbe;
}

/** Answers the questions of `locateStore` about folders. */
export interface FolderProbe {
  /** The code of the error if no file can be made in a folder, such as `EACCES`; null: files can be made. */
  writeErrorOf(folder: string): Promise<string | null>;
  /** True if the folder is on the device that holds `/`. */
  isOnRootDevice(folder: string): Promise<boolean>;
}

/** Asks the real file system. */
export const nodeFolderProbe: FolderProbe = {
  writeErrorOf: (folder) => {
    const path = join(folder, `.ipin-proxy-${randomBytes(6).toString('hex')}`);
    return errorOf(writeFile(path, '', { flag: 'wx', mode: 0o600 }).then(() => unlink(path)));
  },
  isOnRootDevice: async (folder) => (await stat(folder)).dev === (await stat('/')).dev,
};

/**
 * Decides where the database lives: at `DB_PATH` or in the working folder if that can be written (and lasts); else in
 * the temporary folder; else nowhere, and what is there is only read. A directory in the file's place means the file
 * inside it; links are followed.
 * @throws StoreStartError with the command that fixes the problem, if `DB_PATH` is set and cannot be written.
 */
export async function locateStore(options: LocateOptions): Promise<StoreLocation> {
  const probe = options.folders ?? nodeFolderProbe;
  const path = await resolveTarget(
    resolve(options.workingFolder, options.dbPath ?? DEFAULT_NAME),
    options.dbPath,
  );
  const folder = dirname(path);
  const problem =
    (await errorOf(mkdir(folder, { recursive: true, mode: 0o700 }))) ?? (await probe.writeErrorOf(folder));
  const isLasting = !options.onRender || (problem === null && !(await probe.isOnRootDevice(folder)));
  if (problem === null && isLasting) return { path, mode: 'persistent', reason: null, seedPath: null };
  if (options.dbPath !== null && !options.onRender) throw notWritable(path, problem ?? '');

  const why = problem === null ? 'this host keeps no files' : 'its folder cannot be written';
  const seedPath = await firstReadable([
    join(options.secretsFolder, DEFAULT_NAME),
    join(options.programFolder, DEFAULT_NAME),
    path,
  ]);
  const temporary = await makeTemporaryFolder(options.temporaryFolder, probe);
  if (temporary !== null) {
    const reason = `Storage is volatile: ${why}, so the database lives in the temporary folder and is gone after a restart of the machine.`;
    return { path: join(temporary, DEFAULT_NAME), mode: 'volatile', reason, seedPath };
  }
  const reason = 'Storage is read-only: no folder can be written, so changes are refused.';
  return { path, mode: 'read-only', reason, seedPath: seedPath === path ? null : seedPath };
}

/** Follows links, also to a file that does not exist yet; a directory stands for the file inside it. */
async function resolveTarget(asked: string, dbPath: string | null): Promise<string> {
  let path = dbPath !== null && /[/\\]$/.test(dbPath) ? join(asked, DEFAULT_NAME) : asked;
  for (let links = 0; links < LINKS_LIMIT; links += 1) {
    const facts = await lstat(path).catch(() => null);
    if (facts?.isSymbolicLink()) path = resolve(dirname(path), await readlink(path));
    else if (facts?.isDirectory()) path = join(path, DEFAULT_NAME);
    else return join(await realpath(dirname(path)).catch(() => dirname(path)), basename(path));
  }
  throw new StoreStartError(
    `The database ${asked} is a link that leads in a circle; set DB_PATH to another path.`,
  );
}

/** The code of the error that some work ends with; null: it succeeds. */
async function errorOf(work: Promise<unknown>): Promise<string | null> {
  return await work.then(
    () => null,
    (error) => errorCode(error) || 'EIO',
  );
}

/** A folder that no other user of the machine can prepare or look into; null if none can be made. */
async function makeTemporaryFolder(parent: string, probe: FolderProbe): Promise<string | null> {
  const folder = join(parent, 'ipin-proxy');
  const problem = await errorOf(mkdir(folder, { mode: 0o700 }));
  if (problem !== null && problem !== 'EEXIST') return null;
  try {
    const facts = await lstat(folder);
    const isOurs = facts.isDirectory() && (process.getuid === undefined || facts.uid === process.getuid());
    const own = isOurs ? folder : await mkdtemp(`${folder}-`);
    if (isOurs && process.platform !== 'win32') await chmod(own, 0o700);
    return (await probe.writeErrorOf(own)) === null ? own : null;
  } catch {
    return null;
  }
}

async function firstReadable(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const facts = await stat(path).catch(() => null);
    if (facts?.isFile() && (await errorOf(access(path, constants.R_OK))) === null) return path;
  }
  return null;
}

function notWritable(path: string, problem: string): StoreStartError {
  const folder = dirname(path);
  const user = process.getuid?.() ?? 'USER';
  const fix =
    problem === 'EROFS'
      ? 'mount that folder writable, or set DB_PATH to another one'
      : `run: sudo mkdir -p '${folder}' && sudo chown ${user} '${folder}'`;
  return new StoreStartError(`The folder of the database ${path} cannot be written (${problem}); ${fix}`);
}
