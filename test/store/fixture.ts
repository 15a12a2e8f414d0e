import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../src/logger.ts';
import { changeConfig } from '../../src/store/change-config.ts';
import type { JsonFileStore } from '../../src/store/json-file-store.ts';
import { type JsonFileStoreOptions, openJsonFileStore } from '../../src/store/open-json-file-store.ts';
import type { acquireStoreLock } from '../../src/store/store-lock.ts';
import { makeApiKey, withApiKey } from './store-contract.ts';

export const NOW_MS = Date.parse('2026-03-01T12:00:00.000Z');

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly message?: string;
}

/** A logger whose lines can be asked for. */
export function captureLog(): {
  readonly lines: LogLine[];
  readonly logger: ReturnType<typeof createLogger>;
} {
  const lines: LogLine[] = [];
  const logger = createLogger({
    level: 'debug',
    now: () => NOW_MS,
    write: (line) => lines.push(JSON.parse(line)),
  });
  return { lines, logger };
}

const folders: string[] = [];
// Not a hook of the test runner: where many files share a process, the tests of one may be over while another is loading.
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that is removed when the process ends. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ipin-store-'));
  folders.push(folder);
  return folder;
}

/** A lock that nobody else wants: for a store whose process "died" inside the test's own. */
export const noLock: typeof acquireStoreLock = async () => ({
  hasReplacedSettled: false,
  isOwn: () => false,
  isHeld: async () => true,
  settle: async () => {},
  release: async () => {},
});

export const credentials: JsonFileStoreOptions['credentials'] = {
  describeKey: (key) => ({ digest: sha256(key), keyHint: `${key.slice(0, 3)}...${key.slice(-2)}` }),
  hashPassword: async (password) => `scrypt$test$${sha256(password)}`,
};

export function sha256(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}

function storeOptions(path: string, fields: Partial<JsonFileStoreOptions> = {}): JsonFileStoreOptions {
  return {
    location: { path, mode: 'persistent', reason: null, seedPath: null },
    encryptionKey: null,
    previousEncryptionKey: null,
    credentials,
    logger: captureLog().logger,
    now: () => NOW_MS,
    randomBytes,
    ...fields,
  };
}

export function openStore(path: string, fields: Partial<JsonFileStoreOptions> = {}): Promise<JsonFileStore> {
  return openJsonFileStore(storeOptions(path, fields));
}

/** The bytes of a good file with three keys, and of one of its backups with two. */
export async function goodVersions(): Promise<{ readonly good: Buffer; readonly backup: Buffer }> {
  const path = join(makeFolder(), 'ipin-proxy.db');
  const store = await openStore(path);
  for (const id of ['a', 'b', 'c']) await changeConfig(store.config, withApiKey(makeApiKey(id)));
  await store.close();
  return { good: readFileSync(path), backup: readFileSync(`${path}.bak-3`) };
}
