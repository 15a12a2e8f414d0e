import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { HttpError } from '../errors.ts';
import { withFiles } from './page-text.ts';
import { type Exchange, sendBytes, sendEmpty } from './reply.ts';
import { withoutComments } from './source-comments.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
};

type Encoding = 'br' | 'gzip' | 'identity';

/** A file, read and compressed on first use, so that the start does not wait for it. */
class StaticFile {
  readonly type: string;
  readonly #read: () => Buffer;
  readonly #encoded = new Map<Encoding, Promise<Buffer>>();
  #content: { readonly bytes: Buffer; readonly etag: string } | null = null;

  constructor(type: string, read: () => Buffer) {
    this.type = type;
    this.#read = read;
  }

  get bytes(): Buffer {
    return this.#known().bytes;
  }

  get etag(): string {
    return this.#known().etag;
  }

  as(encoding: Encoding): Promise<Buffer> {
    const known = this.#encoded.get(encoding);
    if (known !== undefined) return known;
    const made = compress(this.bytes, encoding);
    this.#encoded.set(encoding, made);
    return made;
  }

  #known(): { readonly bytes: Buffer; readonly etag: string } {
    if (this.#content === null) {
      const bytes = this.#read();
      this.#content = { bytes, etag: `"${digestOf([bytes])}"` };
    }
    return this.#content;
  }
}

/**
 * A folder of pages, listed once as a fixed map from URL path to file; `index.html` is `/`. Requests are looked up in the map and
 * never become a path on the disk.
 */
export class StaticFolder {
  readonly files: ReadonlyMap<string, StaticFile>;
  #version: string | null = null;

  constructor(folder: string) {
    const files = new Map<string, StaticFile>();
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const type = TYPES[extname(entry.name)];
      if (!entry.isFile() || type === undefined) continue;
      const file = join(entry.parentPath ?? entry.path, entry.name);
      const path = file.slice(folder.length).replaceAll('\\', '/');
      files.set(path === '/index.html' ? '/' : path, new StaticFile(type, () => this.#read(file)));
    }
    this.files = files;
  }

  /** Another one whenever a file is another one. Pages are left out, because they contain it. */
  get version(): string {
    if (this.#version === null) {
      const files = [...this.files].filter(([, { type }]) => type !== TYPES['.html']);
      this.#version = digestOf(
        files.sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([path, file]) => [path, file.bytes]),
      );
    }
    return this.#version;
  }

  /** The content that is sent for a file of the disk. Comments are for those who read the source. */
  #read(path: string): Buffer {
    const bytes = readFileSync(path);
    if (/\.(?:js|css)$/.test(path)) return Buffer.from(withoutComments(bytes.toString()));
    if (!path.endsWith('.html')) return bytes;
    const folder = `${VERSIONED.slice(1)}/${this.version}`;
    const textOf = (name: string): string | null => this.files.get(`/${name}`)?.bytes.toString() ?? null;
    return Buffer.from(withFiles(bytes.toString(), { folder, textOf }));
  }
}

/** A digest of 128 bits, in base64url. */
function digestOf(parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('base64url').slice(0, 22);
}

/** A window of 64 KiB holds the largest page; allocating the default of 4 MiB takes twenty times as long as compressing. */
const BROTLI = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 16 };

const compressBrotli = promisify(brotliCompress);
const compressGzip = promisify(gzip);

/** Under this path and the version, pages name the files that they load. */
const VERSIONED = '/static';
/** The path of the route for `sendVersioned`. */
export const VERSIONED_PATH = `${VERSIONED}/:version/*path`;
/** A year, the longest that caches are asked for (RFC 9111). */
const FOR_EVER = 'public, max-age=31536000, immutable';

/**
 * Answers with a file by its path under a version. A page of an earlier version gets today's file, which nobody keeps.
 * @throws HttpError `unknown_url`.
 */
export async function sendVersioned(
  exchange: Exchange,
  folder: StaticFolder,
  { version, path }: { readonly version: string; readonly path: string },
): Promise<void> {
  const file = folder.files.get(`/${path}`);
  if (file === undefined || file.type === TYPES['.html']) {
    throw new HttpError('unknown_url', 'There is no such file. Load the page again.');
  }
  await sendStatic(exchange, file, version === folder.version ? FOR_EVER : 'no-cache');
}

/** Answers with a file: 304 if the client has it (RFC 9110 section 13.1.2), else compressed as the client accepts. */
export async function sendStatic(exchange: Exchange, file: StaticFile, caching = 'no-cache'): Promise<void> {
  const { headers } = exchange.req;
  const common = ['cache-control', caching, 'etag', file.etag, 'vary', 'accept-encoding'];
  if (matches(headers['if-none-match'], file.etag)) {
    sendEmpty(exchange, 304, common);
    return;
  }
  const encoding = file.type.startsWith('image/png') ? 'identity' : choose(headers['accept-encoding']);
  const body = await file.as(encoding);
  const coding = encoding === 'identity' ? [] : ['content-encoding', encoding];
  sendBytes(exchange, 200, body, ['content-type', file.type, ...common, ...coding]);
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((item) => {
    const tag = item.trim().replace(/^W\//, '');
    return tag === etag || tag === '*';
  });
}

function choose(header: string | undefined): Encoding {
  const accepted = (header ?? '').toLowerCase().split(',');
  const takes = (name: string): boolean =>
    accepted.some((item) => item.split(';')[0]?.trim() === name && !/;\s*q=0(\.0*)?\s*$/.test(item));
  if (takes('br')) return 'br';
  return takes('gzip') ? 'gzip' : 'identity';
}

function compress(bytes: Buffer, encoding: Encoding): Promise<Buffer> {
  if (encoding === 'br') {
    return compressBrotli(bytes, { params: BROTLI });
  }
  return encoding === 'gzip' ? compressGzip(bytes) : Promise.resolve(bytes);
}
