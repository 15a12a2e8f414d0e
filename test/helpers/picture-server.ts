import type { TestContext } from 'node:test';
import { isRecord } from '../../src/json/value.ts';
import { type Answer, CHAT_ANSWER, type FakeUpstream, json, startUpstream } from './fake-upstream.ts';
import { curlForm, type FormPart } from './pictures.ts';
import { type AppUnderTest, expectStatus, MASTER_KEY, startApp } from './start-app.ts';

interface OcrUnderTest {
  readonly app: AppUnderTest;
  /** Serves `reader`, as `vendor/reader-1`. */
  readonly upstream: FakeUpstream;
  /** Serves `dots-ocr`, as `rednote-hilab/dots.ocr`, with the text `Other`. */
  readonly other: FakeUpstream;
}

/** A server with one reading model at each of two providers; a third provider, of `shut`, is disabled. */
export async function startOcr(
  t: TestContext,
  answer: Answer = json(CHAT_ANSWER),
  env: Record<string, string> = {},
): Promise<OcrUnderTest> {
  const upstream = await startUpstream(t, answer);
  const other = await startUpstream(t, answering('Other'));
  const app = await startApp(t, { env });
  await app.addProvider({ id: 'up', baseUrl: upstream.origin, apiKey: 'provider-key' }, [
    { id: 'reader', upstreamModel: 'vendor/reader-1' },
    { id: 'off', enabled: false },
  ]);
  await app.addProvider({ id: 'second', baseUrl: `${other.origin}/v1` }, [
    { id: 'dots-ocr', upstreamModel: 'rednote-hilab/dots.ocr' },
  ]);
  await app.addProvider({ id: 'closed', baseUrl: other.origin, enabled: false }, [{ id: 'shut' }]);
  return { app, upstream, other };
}

/** A chat completion that says so. */
export function answering(content: string): Answer {
  const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
  return json({ ...CHAT_ANSWER, choices });
}

/** Sends a form to `/v1/ocr`. */
export function postForm(app: AppUnderTest, parts: readonly FormPart[], key = MASTER_KEY): Promise<Response> {
  const { contentType, body } = curlForm(parts);
  const headers = { authorization: `Bearer ${key}`, 'content-type': contentType };
  return fetch(`${app.origin}/v1/ocr`, { method: 'POST', headers, body: new Uint8Array(body) });
}

/** The latest body that the upstream received. */
export function sentBody(upstream: FakeUpstream): Record<string, unknown> {
  const body: unknown = JSON.parse(upstream.received.at(-1)?.body.toString() ?? 'null');
  if (!isRecord(body)) throw new Error('the upstream received no JSON object');
  return body;
}

interface ErrorMembers {
  readonly message: unknown;
  readonly type: unknown;
  readonly param: unknown;
  readonly code: unknown;
}

/** The error of an answer that must have the status: exactly the envelope's four members. */
export async function errorOf(status: number, response: Response): Promise<ErrorMembers> {
  const answer = await expectStatus(status, response);
  const error = isRecord(answer) ? answer['error'] : undefined;
  if (!isRecord(error)) throw new Error(`no error in ${JSON.stringify(answer)}`);
  const { message, type, param, code, ...others } = error;
  const isWhole = [message, type, param, code].every((member) => member !== undefined);
  if (!isWhole || Object.keys(others).length > 0)
    throw new Error(`not the envelope: ${JSON.stringify(error)}`);
  return { message, type, param, code };
}
