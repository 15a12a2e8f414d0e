import type { TestContext } from 'node:test';
import type { UpstreamBody } from '../../../src/providers/adapter.ts';

/** What a server can be asked for, by its path `/NAME/NUMBER`. */
export type CaseName =
  /** The content with its length. */
  | 'length'
  /** In chunks. */
  | 'chunks'
  /** In chunks, with trailers after them. */
  | 'trailers'
  /** Up to the end of the connection. */
  | 'to-close'
  /** With `Connection: close`. */
  | 'close'
  /** In HTTP/1.0. */
  | 'old'
  /** After 100 and 103. */
  | 'interim'
  /** How long the request's body was. */
  | 'upload'
  /** 413, before the large body of the request is read. */
  | 'early'
  /** Less than was announced. */
  | 'cut'
  /** The connection is closed without a response. */
  | 'none';

export interface HttpServer {
  readonly name: string;
  readonly cases: readonly CaseName[];
  /** Why it cannot run here; false where it can. */
  isSkipped(): string | false;
  /** Starts it on 127.0.0.1 until the test ends. */
  start: StartServer;
}

/** Resolves to the port once it accepts connections. */
export type StartServer = (t: TestContext, options: StartOptions) => Promise<number>;

export interface StartOptions {
  /** For its files. */
  readonly folder: string;
  /** The paths of certificate and key, PEM; null: it speaks plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
}

/** Numbers of contents, from 0 on. */
export const CONTENTS = 64;
const LARGE = 300_000;

/** A content that tells its number. The last ones are larger than a read of a connection. */
export function contentOf(number: number): string {
  return `${number}:${'x'.repeat(number >= CONTENTS - 2 ? LARGE : (number * 97) % 5_000)}`;
}

const EARLY = Buffer.alloc(2 * 1024 * 1024, 'e');

/** The body of the request for a case. */
export function bodyFor(name: CaseName, number: number): UpstreamBody {
  if (name === 'early') return { kind: 'pieces', pieces: [EARLY] };
  if (name === 'upload') return { kind: 'pieces', pieces: [Buffer.alloc(number * 4_096, 'u')] };
  return { kind: 'none' };
}

/** What the client has to make of a case: status and content, or the code of its failure. */
export function expected(name: CaseName, number: number): string {
  if (name === 'cut') return 'upstream_invalid_response';
  if (name === 'none') return 'upstream_unreachable';
  if (name === 'early') return '413';
  return `200 ${name === 'upload' ? `${number}:${number * 4_096}` : contentOf(number)}`;
}
