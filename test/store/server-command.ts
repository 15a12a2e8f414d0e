import { join } from 'node:path';
import { prepareProgram } from '../helpers/programs.ts';
import { ADMIN, expectStatus, jsonRequest, MASTER_KEY } from '../helpers/start-app.ts';
import type { Ending, ServerRun } from '../helpers/start-server.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** What every server of these tests has in its environment. */
export const ENV = { MASTER_API_KEY: MASTER_KEY, UI_USERNAME: ADMIN.username, UI_PASSWORD: ADMIN.password };

/** The whole server made ready to be started many times: the words to start it with. */
export function prepareServer(): readonly string[] {
  return prepareProgram(join(ROOT, 'src', 'server.ts'));
}

/** For a start that must be refused: how it ended, or that it listens instead. */
export function refusalOf(run: ServerRun): Promise<Ending | 'it started'> {
  return run.listening.then(
    () => 'it started',
    () => run.ended,
  );
}

/** The state of the storage as `/health` says it. */
export async function storageOf(run: ServerRun): Promise<string> {
  const { storage } = (await expectStatus(200, await fetch(`${await run.listening}/health`))) as {
    storage: string;
  };
  return storage;
}

/** Makes an API key. */
export async function addKey(origin: string, token: string): Promise<Response> {
  return fetch(`${origin}/api/admin/apikeys`, jsonRequest('POST', `Bearer ${token}`, { name: 'one more' }));
}
