// The client for providers against servers that others wrote, over kept connections, many requests at a time.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { piecesOf } from '../../src/http/body-source.ts';
import type { UpstreamResponse } from '../../src/providers/adapter.ts';
import { UpstreamFailure } from '../../src/providers/upstream-failures.ts';
import { hasOpenssl, signedCertificate } from '../helpers/certificate.ts';
import { collect } from '../helpers/chunks.ts';
import { startSender } from '../helpers/sender.ts';
import { makeTestFolder } from '../helpers/start-server.ts';
import { bodyFor, type CaseName, CONTENTS, expected, type HttpServer } from './servers/cases.ts';
import { go } from './servers/go.ts';
import { lighttpd } from './servers/lighttpd.ts';
import { nginx } from './servers/nginx.ts';
import { pythonServer, uvicorn } from './servers/python.ts';

const IS_LONG = process.env['IPIN_LONG'] === '1';
const REQUESTS = IS_LONG ? 100_000 : 300;
const AT_A_TIME = 16;
/** One request of so many has a large body. */
const LARGE_EVERY = 25;

for (const server of [nginx, lighttpd, pythonServer, uvicorn, go]) {
  describe(server.name, { timeout: IS_LONG ? 3_000_000 : 60_000, skip: server.isSkipped() }, () => {
    for (const scheme of ['http', 'https'] as const) {
      const skip = scheme === 'https' && !hasOpenssl() && 'openssl is not installed';
      test(`answers ${REQUESTS} requests over ${scheme}`, { skip }, async (t) => {
        const { ask, connections } = await start(t, server, scheme);
        const unexpected: string[] = [];
        let next = 0;
        const work = async (): Promise<void> => {
          for (let index = next++; index < REQUESTS && unexpected.length < 20; index = next++) {
            const name = caseOf(server.cases, index);
            const number = (index * 7) % CONTENTS;
            const wanted = expected(name, number);
            const got = await ask(name, number);
            if (!got.startsWith(wanted) || (name !== 'early' && got.length !== wanted.length))
              unexpected.push(`${name}/${number}: ${got.slice(0, 200)}`);
          }
        };
        const startMs = performance.now();
        await Promise.all(Array.from({ length: AT_A_TIME }, work));
        assert.deepEqual(unexpected, []);
        const tookMs = Math.round(performance.now() - startMs);
        t.diagnostic(`${REQUESTS} requests, ${connections()} connections, ${tookMs} ms`);
      });

      test(`needs one connection for one request after the other over ${scheme}`, { skip }, async (t) => {
        const { ask, connections } = await start(t, server, scheme);
        for (const name of server.cases.filter((one) => KEPT.has(one))) {
          for (let number = 1; number <= 5; number += 1)
            assert.equal(await ask(name, number), expected(name, number));
        }
        assert.equal(connections(), 1);
      });
    }
  });
}

/** The cases after which a connection can be used again. */
const KEPT: ReadonlySet<CaseName> = new Set(['length', 'chunks', 'trailers', 'interim', 'upload']);

/** How the cases with a framing of their own end their bodies. */
const FRAMING: Partial<Record<CaseName, string>> = {
  chunks: 'chunks',
  trailers: 'chunks',
  'to-close': 'close',
  close: 'length, close',
};

function framingOf(headers: UpstreamResponse['headers']): string {
  const isClosed = headers['connection'] === 'close';
  if (headers['transfer-encoding'] === 'chunked') return 'chunks';
  if (headers['content-length'] === undefined) return 'close';
  return isClosed ? 'length, close' : 'length';
}

/** All cases by turns, those with large bodies less often. */
function caseOf(cases: readonly CaseName[], index: number): CaseName {
  const name = cases[index % cases.length] ?? 'length';
  const isLarge = name === 'early' || name === 'upload';
  return isLarge && Math.floor(index / cases.length) % LARGE_EVERY !== 0 ? 'length' : name;
}

async function start(t: TestContext, server: HttpServer, scheme: 'http' | 'https') {
  const folder = makeTestFolder(t);
  const signed = scheme === 'https' ? signedCertificate(t, 'DNS:localhost,IP:127.0.0.1') : null;
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  if (signed !== null) {
    writeFileSync(tls.cert, signed.cert);
    writeFileSync(tls.key, signed.key);
  }
  const port = await server.start(t, { folder, tls: signed === null ? null : tls });
  const sender = startSender(t, `${scheme}://localhost:${port}`, { ca: signed?.ca });
  let connections = 0;
  const { options } = sender.provider.connection.pool;
  const { lookup } = options;
  // Every connection asks for the address of its name.
  const counting: LookupFunction = (...asked) => {
    connections += 1;
    lookup?.(...asked);
  };
  Object.assign(options, { lookup: counting });
  /** Status and content of the response, or the code of the failure. */
  const ask = async (name: CaseName, number: number): Promise<string> => {
    const body = bodyFor(name, number);
    const method = body.kind === 'none' ? 'GET' : 'POST';
    try {
      const response = await sender.exchange({ method, path: `/${name}/${number}`, headers: [], body });
      const framing = framingOf(response.headers);
      assert.equal(framing, FRAMING[name] ?? framing, name);
      return `${response.status} ${await collect(piecesOf(response.body))}`;
    } catch (error) {
      return error instanceof UpstreamFailure ? (error.error.code ?? '') : String(error);
    }
  };
  return { ask, connections: () => connections };
}
