import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
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

/** What a server needs to be trusted by those who trust `ca` alone. */
export interface SignedCertificate extends Certificate {
  /** The certificate of the authority that signed it. */
  readonly ca: string;
}

/** A certificate for names and addresses (`DNS:localhost,IP:127.0.0.1`), signed by an authority that is made for it. */
export function signedCertificate(t: TestContext, names: string): SignedCertificate {
  const folder = makeTestFolder(t);
  const path = (name: string): string => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const ca = [...newKey, '-keyout', path('ca.key'), '-out', path('ca.pem'), '-subj', '/CN=authority'];
  openssl('req', '-x509', '-days', '2', ...ca);
  openssl('req', ...newKey, '-keyout', path('key.pem'), '-out', path('request'), '-subj', '/CN=server');
  writeFileSync(path('names'), `subjectAltName=${names}`);
  const signed = [
    '-CA',
    path('ca.pem'),
    '-CAkey',
    path('ca.key'),
    '-CAcreateserial',
    '-extfile',
    path('names'),
  ];
  openssl('x509', '-req', '-days', '2', '-in', path('request'), '-out', path('cert.pem'), ...signed);
  const read = (name: string): string => readFileSync(path(name), 'utf8');
  return { key: read('key.pem'), cert: read('cert.pem'), ca: read('ca.pem') };
}
