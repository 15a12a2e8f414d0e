import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeTestFolder } from './start-server.ts';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' });

export function hasOpenssl(): boolean {
  try {
    openssl('version');
    return true;
  } catch {
    return false;
  }
}

/** A self-signed certificate for a name, valid for `days`. */
export function certificate(t: TestContext, name: string, days: number): Certificate {
  const folder = makeTestFolder(t);
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    key,
    '-out',
    cert,
    '-days',
    String(days),
    '-subj',
    `/CN=${name}`,
    '-addext',
    `subjectAltName=${name.includes('.1') ? 'IP' : 'DNS'}:${name}`,
  );
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}
