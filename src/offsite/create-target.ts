import type { Environment, SnapshotConfig } from '../config.ts';
import type { ExchangeLimits } from './exchange.ts';
import { HttpTarget } from './http-target.ts';
import { readS3Settings } from './s3-settings.ts';
import { S3Target } from './s3-target.ts';
import type { SnapshotTarget } from './target.ts';

export interface CreateTargetOptions {
  /** Where the `AWS_*` variables are. */
  readonly env: Environment;
  /** The current time in milliseconds. */
  readonly now: () => number;
  readonly limits?: ExchangeLimits;
}

/**
 * The place that SNAPSHOT_URL names; opens no connection.
 * @throws ConfigError that names every variable that is missing or wrong.
 */
export function createSnapshotTarget(config: SnapshotConfig, options: CreateTargetOptions): SnapshotTarget {
  const limits = options.limits === undefined ? {} : { limits: options.limits };
  if (/^s3:/i.test(config.url)) {
    return new S3Target({ settings: readS3Settings(config.url, options.env), now: options.now, ...limits });
  }
  return new HttpTarget({ url: new URL(config.url), token: config.token, ...limits });
}
