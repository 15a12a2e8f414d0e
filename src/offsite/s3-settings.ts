import { ConfigError, type Environment } from '../config.ts';
import { isLoopbackHost } from '../ip-address.ts';
import type { AwsCredentials } from './sigv4.ts';

export interface S3Settings {
  readonly bucket: string;
  /** Not percent-encoded. */
  readonly key: string;
  readonly region: string;
  readonly credentials: AwsCredentials;
  /** null: AWS itself, at the address of the region. */
  readonly endpoint: URL | null;
}

const DEFAULT_REGION = 'us-east-1';
/** S3's limit on the length of a key in UTF-8. */
const KEY_LIMIT_BYTES = 1024;

/**
 * Reads `s3://bucket/key` and the variables of the AWS SDKs and tools reference
 * (https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html). The key is used as it stands.
 * @throws ConfigError that names everything that is missing or wrong.
 */
export function readS3Settings(url: string, env: Environment): S3Settings {
  const problems: string[] = [];
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]*)\/(.*)$/is.exec(url) ?? [];
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket) || !isKey(key)) {
    problems.push('SNAPSHOT_URL must name a bucket and a key: s3://bucket/key.');
  }
  const required = (name: string): string => {
    const value = env[name] || '';
    if (value === '') problems.push(`${name} is required with an s3:// SNAPSHOT_URL.`);
    return value;
  };
  const settings = {
    bucket,
    key,
    region: env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || DEFAULT_REGION,
    credentials: {
      accessKeyId: required('AWS_ACCESS_KEY_ID'),
      secretAccessKey: required('AWS_SECRET_ACCESS_KEY'),
      sessionToken: env['AWS_SESSION_TOKEN'] || null,
    },
    endpoint: readEndpoint(env, problems),
  };
  if (!/^[A-Za-z0-9-]{1,64}$/.test(settings.region))
    problems.push('AWS_REGION must be the name of a region, such as eu-west-1.');
  if (problems.length > 0) throw new ConfigError(problems);
  return settings;
}

function isKey(key: string): boolean {
  const isInBounds = key !== '' && Buffer.byteLength(key) <= KEY_LIMIT_BYTES;
  // Servers and proxies resolve dot segments; the signature would not fit the resolved path.
  return isInBounds && !key.split('/').some((segment) => segment === '.' || segment === '..');
}

function readEndpoint(env: Environment, problems: string[]): URL | null {
  const name = env['AWS_ENDPOINT_URL_S3'] ? 'AWS_ENDPOINT_URL_S3' : 'AWS_ENDPOINT_URL';
  const text = env[name] || null;
  if (text === null) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname));
  if (url !== null && isSafe && url.search === '' && url.username === '') return url;
  problems.push(`${name} must be an https:// address (http:// only on loopback) without query or password.`);
  return null;
}
