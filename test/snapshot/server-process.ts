import { once } from 'node:events';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import type { Environment } from '../../src/config.ts';
import { S3_CREDENTIALS, S3_REGION, type S3StandIn } from '../helpers/s3-stand-in.ts';
import { ADMIN, MASTER_KEY } from '../helpers/start-app.ts';
import { runServer, type ServerRun } from '../helpers/start-server.ts';
import { KEY } from './fixture.ts';

export interface RunningServer extends ServerRun {
  /** Known before it listens. */
  readonly origin: string;
}

/** What every server of these tests has in its environment. */
export const BASE = {
  MASTER_API_KEY: MASTER_KEY,
  UI_USERNAME: ADMIN.username,
  UI_PASSWORD: ADMIN.password,
  ENCRYPTION_KEY: 'a key for provider keys',
  SNAPSHOT_KEY: KEY,
};

/** For a snapshot in the stand-in. */
export function s3Environment(s3: S3StandIn, bucket = 'bucket'): Environment {
  return {
    SNAPSHOT_URL: `s3://${bucket}/state`,
    AWS_ACCESS_KEY_ID: S3_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: S3_CREDENTIALS.secretAccessKey,
    AWS_REGION: S3_REGION,
    AWS_ENDPOINT_URL_S3: s3.origin,
  };
}

/** A port that was free a moment ago: for asking a server that does not yet say where it listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** As `runServer`, on a port that is known from the start. */
export async function runOnPort(t: TestContext, folder: string, env: Environment): Promise<RunningServer> {
  const port = await freePort();
  const run = runServer(t, { folder, env: { PORT: String(port), ...env } });
  return { ...run, origin: `http://127.0.0.1:${port}` };
}
