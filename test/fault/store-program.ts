import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { changeConfig } from '../../src/store/change-config.ts';
import { StoreStartError } from '../../src/store/document-error.ts';
import type { JsonFileStore } from '../../src/store/json-file-store.ts';
import { openStore } from '../store/fixture.ts';
import { makeApiKey, withApiKey } from '../store/store-contract.ts';

// A process with a store, for tests that harm the process or its disk: PROGRAM MODE PATH [PREFIX].
// Reports on standard output in lines that are written synchronously, so that they survive a SIGKILL.

const [mode = '', path = '', prefix = ''] = process.argv.slice(2);

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

/** Four parallel writers add keys endlessly and report the acknowledged keys. */
async function write(store: JsonFileStore): Promise<void> {
  const writer = async (number: number): Promise<never> => {
    for (let count = 0; ; count += 1) {
      const id = `${prefix}-${number}-${count}`;
      await changeConfig(store.config, withApiKey(makeApiKey(id)));
      say(id);
    }
  };
  await Promise.all([0, 1, 2, 3].map(writer));
}

/** Adds three keys one after another and reports the acknowledged keys. */
async function step(store: JsonFileStore): Promise<void> {
  for (const id of ['a', 'b', 'c']) {
    const outcome = await add(store, id);
    if (outcome === 'saved') say(id);
  }
}

function add(store: JsonFileStore, id: string): Promise<string> {
  return changeConfig(store.config, withApiKey(makeApiKey(id))).then(
    () => 'saved',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

/** Fills the disk, tries to save, makes room, saves again. */
async function fill(store: JsonFileStore): Promise<void> {
  const junk = join(dirname(path), 'junk');
  say(await add(store, 'before'));
  const bytes = readFileSync(path);
  const { bavail, bsize } = statfsSync(dirname(path));
  writeFileSync(junk, randomBytes(bavail * bsize));
  for (let attempt = 0; attempt < 20; attempt += 1) say(await add(store, 'full'));
  say(store.status().state);
  say(String(readFileSync(path).equals(bytes)));
  say([...store.config.view().apiKeys.keys()].join(' '));
  rmSync(junk);
  say(await add(store, 'after'));
  say(store.status().state);
}

try {
  const store = await openStore(path);
  say('open');
  if (mode === 'write') await write(store);
  if (mode === 'step') await step(store);
  if (mode === 'fill') await fill(store);
  if (mode === 'verify')
    say(JSON.stringify({ state: store.status().state, keys: [...store.config.view().apiKeys.keys()] }));
  await store.close();
} catch (error) {
  if (!(error instanceof StoreStartError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
