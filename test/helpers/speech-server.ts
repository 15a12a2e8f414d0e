import { createCipheriv } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { TestContext } from 'node:test';
import { type FakeUpstream, json, startUpstream } from './fake-upstream.ts';
import { curlForm, type FormPart } from './pictures.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from './start-app.ts';

export const SPEECH_KEYS = { up: 'provider-key-of-openai', chutes: 'cpk_provider-key' } as const;
/** What a Chutes speech chute answers. */
export const CHUTES_ANSWER = [
  { start: 0, end: 1.5, text: ' First words' },
  { start: 1.5, end: 3.25, text: ' next' },
];

export interface SpeechUnderTest {
  readonly app: AppUnderTest;
  /** Serves `whisper`, as `vendor/whisper-1`, and `whisper-1` as that. */
  readonly upstream: FakeUpstream;
  /** Serves `chutes-whisper` at `/transcribe`. */
  readonly chutes: FakeUpstream;
}

/** A server with one hearing provider of each kind; a third, of `shut`, is disabled. */
export async function startSpeech(
  t: TestContext,
  { env = {}, readBodies = true }: { env?: Record<string, string>; readBodies?: boolean } = {},
): Promise<SpeechUnderTest> {
  const upstream = await startUpstream(t, json({ text: 'Hello' }), { readBodies });
  const chutes = await startUpstream(t, json(CHUTES_ANSWER), { readBodies });
  const app = await startApp(t, { env });
  await app.addProvider({ id: 'up', baseUrl: `${upstream.origin}/v1`, apiKey: SPEECH_KEYS.up }, [
    { id: 'whisper', upstreamModel: 'vendor/whisper-1' },
    { id: 'whisper-1' },
    { id: 'off', enabled: false },
  ]);
  const baseUrl = `${chutes.origin}/v1`;
  await app.addProvider({ id: 'chutes', baseUrl, type: 'chutes', apiKey: SPEECH_KEYS.chutes }, [
    { id: 'chutes-whisper' },
  ]);
  await app.addProvider({ id: 'closed', baseUrl: upstream.origin, enabled: false }, [{ id: 'shut' }]);
  return { app, upstream, chutes };
}

/** Bytes of every value in no order, the same each time, behind the beginning of a WAV file. */
export function speechOf(lengthBytes: number): Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  const bytes = cipher.update(Buffer.alloc(lengthBytes));
  bytes.write('RIFF\xff\xff\xff\x7fWAVEfmt ', 'latin1');
  return bytes;
}

/** A `file` part. */
export function fileOf(bytes: Buffer, name = 'speech.wav', type = 'audio/wav'): FormPart {
  return ['file', bytes, { name, type }];
}

/** Sends a form as curl does. */
export function postAudio(
  app: AppUnderTest,
  parts: readonly FormPart[],
  { path = 'audio/transcriptions', key = MASTER_KEY } = {},
): Promise<Response> {
  const { contentType, body } = curlForm(parts);
  const headers = { authorization: `Bearer ${key}`, 'content-type': contentType };
  return fetch(`${app.origin}/v1/${path}`, { method: 'POST', headers, body: new Uint8Array(body) });
}

/** One request as it reached an upstream, looked at while it arrives. */
export interface Arrival {
  readonly req: IncomingMessage;
  /** What has come of the body. */
  readonly body: () => Buffer;
  /** Resolves when so much of the body is there. */
  atLeast(bytes: number): Promise<void>;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<unknown>;
}

/** Gives the next request to an upstream that was started with `readBodies: false`; it is not answered. */
export function nextArrival(upstream: FakeUpstream): Promise<Arrival> {
  return new Promise((resolve) => {
    upstream.answer = (req) => {
      const chunks: Buffer[] = [];
      let length = 0;
      req.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
      });
      req.on('error', () => {});
      resolve({
        req,
        body: () => Buffer.concat(chunks),
        closed: new Promise((done) => req.socket.on('close', done)),
        async atLeast(bytes) {
          while (length < bytes) await once(req, 'data');
        },
      });
    };
  });
}

/** The value of a metric without labels. */
export async function metricOf(app: AppUnderTest, name: string): Promise<number> {
  const response = await fetch(`${app.origin}/metrics`, {
    headers: { authorization: `Bearer ${MASTER_KEY}` },
  });
  const line = (await response.text()).split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1));
}
