import { randomBytes } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { type CallEnd, PATHS, type PlannedCall, tagOf } from './plan.ts';

/** Longer than any call can take: three attempts that the provider lets wait, and the waits between them. */
const CALL_LIMIT_MS = 60_000;
const BOUNDARY = 'soak-boundary-7f3a9c';

/** Makes calls over kept connections. */
export class Caller {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  readonly #port: number;
  readonly #key: string;

  /** @param key the API key of the calls */
  constructor(port: number, key: string) {
    this.#port = port;
    this.#key = key;
  }

  /** Makes a call and tells how it ended; never rejects. */
  call(plan: PlannedCall): Promise<CallEnd> {
    return new Promise((resolve) => {
      const { type, body } = bodyOf(plan);
      const outgoing = request({
        agent: this.#agent,
        host: '127.0.0.1',
        port: this.#port,
        method: 'POST',
        path: `/v1/${PATHS[plan.kind]}`,
        headers: {
          authorization: `Bearer ${this.#key}`,
          'content-type': type,
          'content-length': body.length,
        },
      });
      const leave = setTimeout(() => {
        resolve(plan.leavesAfterMs === null ? { kind: 'wrong', why: 'no end in time' } : { kind: 'left' });
        outgoing.destroy();
      }, plan.leavesAfterMs ?? CALL_LIMIT_MS);
      const end = (how: CallEnd): void => {
        clearTimeout(leave);
        resolve(how);
      };
      const fail = (error: Error): void => end({ kind: 'wrong', why: error.message });
      outgoing.on('error', fail).on('response', (incoming) => {
        let text = '';
        incoming.setEncoding('latin1').on('data', (piece: string) => (text += piece));
        const isCut = incoming.statusCode === 200 && plan.kind !== 'stream';
        incoming.on('error', (error) => (isCut ? end({ kind: 'truncated' }) : fail(error)));
        incoming.on('end', () => end(endOf(plan, incoming, text)));
      });
      outgoing.end(body);
    });
  }

  /** Closes the connections. */
  close(): void {
    this.#agent.destroy();
  }
}

function bodyOf(plan: PlannedCall): { readonly type: string; readonly body: Buffer } {
  const { kind, bytes, conversation } = plan;
  if (kind === 'upload' || kind === 'held-upload') return formOf(plan);
  const text = `conversation ${conversation} ${'word '.repeat(bytes / 5)}`;
  const asked =
    kind === 'embeddings'
      ? { input: text, ...(bytes % 2 === 0 ? { encoding_format: 'base64' } : {}) }
      : { stream: kind === 'stream', messages: [{ role: 'user', content: text }] };
  const body = Buffer.from(JSON.stringify({ model: 'soak', user: tagOf(plan), ...asked }));
  return { type: 'application/json', body };
}

/** A form whose model comes first is sent on while it arrives; one whose model comes last is held. */
function formOf(plan: PlannedCall): { readonly type: string; readonly body: Buffer } {
  const field = (name: string, rest: string): Buffer =>
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${rest}`);
  const fields = [field('prompt', `\r\n\r\n${tagOf(plan)}\r\n`), field('model', '\r\n\r\nsoak\r\n')];
  const file = [
    field('file', '; filename="speech.mp3"\r\nContent-Type: audio/mpeg\r\n\r\n'),
    randomBytes(plan.bytes),
    Buffer.from('\r\n'),
  ];
  const parts = plan.kind === 'upload' ? [...fields, ...file] : [...file, ...fields];
  const type = `multipart/form-data; boundary=${BOUNDARY}`;
  return { type, body: Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]) };
}

function endOf(
  { id, kind }: PlannedCall,
  { statusCode = 0, headers }: IncomingMessage,
  text: string,
): CallEnd {
  if (statusCode !== 200) return refusal(statusCode, headers['x-ipin-attempts'], text);
  const wrong: CallEnd = { kind: 'wrong', why: `another answer: ${text.slice(0, 200)}` };
  if (kind === 'stream') {
    const ids = new Set([...text.matchAll(/"id":"chatcmpl-(\d+)"/g)].map((match) => Number(match[1])));
    if (ids.size !== 1 || !ids.has(id)) return wrong;
    const isBroken = /\n\ndata: \{"error":\{[^\n]*\}\}\n\n$/.test(text);
    if (isBroken) return text.includes('[DONE]') ? wrong : { kind: 'broken' };
    return /"finish_reason":"stop"[^\n]*\n\ndata: \[DONE\]\n\n$/.test(text) ? { kind: 'ok' } : wrong;
  }
  const mark = kind === 'embeddings' ? `"total_tokens":${id}}` : `answer ${id} `;
  return isJson(text) && text.includes(mark) ? { kind: 'ok' } : wrong;
}

/** Only an error in OpenAI's shape with the number of attempts is a proper one. */
function refusal(status: number, attempts: string | string[] | undefined, text: string): CallEnd {
  if (!isJson(text) || !text.startsWith('{"error":{') || typeof attempts !== 'string') {
    return { kind: 'wrong', why: `status ${status}: ${text.slice(0, 200)}` };
  }
  return { kind: 'refused', status, attempts: Number(attempts) };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
