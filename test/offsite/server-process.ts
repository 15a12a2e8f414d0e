import type { Environment } from '../../src/config.ts';
import { S3_CREDENTIALS, S3_REGION, type S3StandIn } from '../helpers/s3-stand-in.ts';
import { ADMIN, MASTER_KEY } from '../helpers/start-app.ts';
import { KEY } from './fixture.ts';

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
