import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
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
  readonly #path: string;
  readonly #encoded = new Map<Encoding, Promise<Buffer>>();
  #content: { readonly bytes: Buffer; readonly etag: string } | null = null;

  constructor(path: string, type: string) {
    this.#path = path;
    this.type = type;
  }

  get etag(): string {
    return this.#read().etag;
  }

  as(encoding: Encoding): Promise<Buffer> {
    const known = this.#encoded.get(encoding);
    if (known !== undefined) return known;
    const made = compress(this.#read().bytes, encoding);
    this.#encoded.set(encoding, made);
    return made;
  }

  #read(): { readonly bytes: Buffer; readonly etag: string } {
    if (this.#content === null) {
      const bytes = readPage(this.#path);
      const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
      this.#content = { bytes, etag };
    }
    return this.#content;
  }
}

/** Comments are for those who read the source. */
function readPage(path: string): Buffer {
  const bytes = readFileSync(path);
  return /\.(?:js|css)$/.test(path) ? Buffer.from(withoutComments(bytes.toString())) : bytes;
}

export type StaticFiles = ReadonlyMap<string, StaticFile>;

/** A window of 64 KiB holds the largest page; allocating the default of 4 MiB takes twenty times as long as compressing. */
const BROTLI = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 16 };

const compressBrotli = promisify(brotliCompress);
const compressGzip = promisify(gzip);

/**
 * Lists a folder of pages as a fixed map from URL path to file; `index.html` is `/`. Requests are looked up in the map and
 * never become a path on the disk.
 */
export function listStaticFiles(folder: string): StaticFiles {
  const files = new Map<string, StaticFile>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const path = file.slice(folder.length).replaceAll('\\', '/');
    files.set(path === '/index.html' ? '/' : path, new StaticFile(file, type));
  }
  return files;
}

/** Answers with a file: 304 if the client has it (RFC 9110 section 13.1.2), else compressed as the client accepts. */
export async function sendStatic(exchange: Exchange, file: StaticFile): Promise<void> {
  const { headers } = exchange.req;
  const common = ['cache-control', 'no-cache', 'etag', file.etag, 'vary', 'accept-encoding'];
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
