import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { Cancellation, type CancelSignal } from '../../src/cancellation.ts';
import { piecesOf } from '../../src/http/body-source.ts';
import type { CompiledProvider, UpstreamBody, UpstreamResponse } from '../../src/providers/adapter.ts';
import { compileProvider } from '../../src/providers/compile.ts';
import type { OutgoingRequest } from '../../src/providers/upstream/request-head.ts';
import { createUpstreams } from '../../src/providers/upstream.ts';
import { UpstreamFailure } from '../../src/providers/upstream-failures.ts';
import type { ProviderOptions } from '../../src/store/entities.ts';
import { collect } from './chunks.ts';
import { makeProvider } from './records.ts';
import { checkAfter } from './teardown.ts';
import { until } from './until.ts';

const PATIENT = { connectTimeoutMs: 10_000, headersTimeoutMs: 10_000, idleTimeoutMs: 10_000 };
const CONSUMER = 'test';
/** How many requests one consumer may have at one provider. */
const SHARE = 512;

export interface Sender {
  readonly provider: CompiledProvider;
  /** Sends a POST. */
  send(body: UpstreamBody | string, signal?: CancelSignal): Promise<UpstreamResponse>;
  /** Sends a POST and reads the answer whole. */
  ask(body: UpstreamBody | string, signal?: CancelSignal): Promise<string>;
  /** Sends any request. */
  exchange(request: OutgoingRequest): Promise<UpstreamResponse>;
  /** The failure of a POST, of its headers or of its body. */
  failureOf(body: UpstreamBody | string, signal?: CancelSignal): Promise<UpstreamFailure>;
}

export interface SenderOptions {
  readonly options?: ProviderOptions;
  readonly blockPrivate?: boolean;
  /** The certificate to trust. */
  readonly ca?: string | undefined;
}

/** The client for providers alone. When the test is over, no request, no connection and no share may be left. */
export function startSender(
  t: TestContext,
  baseUrl: string,
  { options = {}, blockPrivate = false, ca }: SenderOptions = {},
): Sender {
  const upstreams = createUpstreams();
  const record = makeProvider({ id: 'up', baseUrl, options });
  const provider = compileProvider(record, { timeouts: PATIENT, blockPrivate });
  const { pool } = provider.connection;
  if (ca !== undefined) Object.assign(pool.options, { ca });
  checkAfter(t, async () => {
    await until(() => upstreams.openRequests() === 0, 'no open request');
    expectAllShares(provider);
    assert.equal(pool.waitingCount, 0);
    await until(() => pool.usedCount === 0, 'no connection');
  });
  const exchange = (request: OutgoingRequest, signal: CancelSignal = new Cancellation()) =>
    upstreams.send({ provider, ...request }, { signal, consumer: CONSUMER });
  const send: Sender['send'] = (body, signal = new Cancellation()) => {
    const sent: UpstreamBody =
      typeof body === 'string' ? { kind: 'pieces', pieces: [Buffer.from(body)] } : body;
    return exchange({ method: 'POST', path: '/v1/x', headers: [], body: sent }, signal);
  };
  const ask: Sender['ask'] = async (body, signal) => {
    const response = await send(body, signal);
    return (await collect(piecesOf(response.body))).toString();
  };
  return {
    provider,
    send,
    ask,
    exchange,
    failureOf: (body, signal) =>
      ask(body, signal).then(
        (text) => assert.fail(`answered: ${text}`),
        (error: unknown) => (error instanceof UpstreamFailure ? error : assert.fail(String(error))),
      ),
  };
}

/** Each request gave back its share, and none gave it back twice. */
function expectAllShares({ connection }: CompiledProvider): void {
  for (let count = 0; count < SHARE; count += 1) connection.takeShare(CONSUMER);
  assert.throws(() => connection.takeShare(CONSUMER));
  for (let count = 0; count < SHARE; count += 1) connection.giveShare(CONSUMER);
}

/** A body that is sent while it arrives. */
export function streamOf(...chunks: string[]): UpstreamBody {
  return { kind: 'stream', stream: Readable.from(chunks.map((chunk) => Buffer.from(chunk))) };
}
