import { randomBytes } from 'node:crypto';

const PNG_HEAD = Buffer.from('89504e470d0a1a0a0000000d49484452000003e8000003e80802000000', 'hex');
const MIB = 1024 * 1024;

/** JSON bodies that are expensive to read, by name. Each is valid, and has the largest size that a client may send. */
export function hardBodies(isQuick: boolean): ReadonlyMap<string, Buffer> {
  const scale = isQuick ? 0.1 : 1;
  const text = (piece: string, bytes: number) => piece.repeat(Math.ceil((bytes * scale) / piece.length));
  const numbers = (count: number, value: string) =>
    `[${Array(Math.ceil(count * scale))
      .fill(value)
      .join(',')}]`;
  return new Map([
    ['chat with an image of 20 MiB', imageBody(Math.floor(20 * MIB * scale))],
    ['string of 8 MiB, all escaped quotes', chatWith(text('\\"', 8 * MIB))],
    ['string of 8 MiB, all \\u escapes', chatWith(text('\\u0041', 8 * MIB))],
    ['string of 8 MiB, a quote after each 30 letters', chatWith(text(`${'a'.repeat(30)}\\"`, 8 * MIB))],
    ['string of 8 MiB, all three-byte letters', chatWith(text('\u6f22', 8 * MIB))],
    ['embeddings of 300,000 tokens', embedding(numbers(300_000, '12345'))],
    ['embeddings of 100,000 short strings', embedding(numbers(100_000, '"word"'))],
    ['50,000 messages', messages(Math.ceil(50_000 * scale))],
  ]);
}

/** A chat request with one PNG of random content as a data URL. `imageBytes` is the decoded size. */
export function imageBody(imageBytes: number): Buffer {
  const image = Buffer.concat([PNG_HEAD, randomBytes(imageBytes - PNG_HEAD.length)]).toString('base64');
  const parts = [
    { type: 'text', text: 'What is in this picture?' },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } },
  ];
  return Buffer.from(JSON.stringify({ model: 'bench-model', messages: [{ role: 'user', content: parts }] }));
}

/** A form for `/v1/audio/transcriptions` with a file of random bytes. Many clients send the model after the file. */
export function transcriptionForm(options: {
  readonly fileBytes: number;
  readonly model: string;
  readonly modelFirst: boolean;
}): { body: Buffer; contentType: string } {
  const boundary = 'bench-boundary-7f3a9c';
  const field = (name: string, rest: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${rest}`;
  const model = Buffer.from(field('model', `\r\n\r\n${options.model}\r\n`));
  const file = [
    Buffer.from(field('file', '; filename="speech.mp3"\r\nContent-Type: audio/mpeg\r\n\r\n')),
    randomBytes(options.fileBytes),
    Buffer.from('\r\n'),
  ];
  const parts = options.modelFirst ? [model, ...file] : [...file, model];
  const body = Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
  return { body, contentType: `multipart/form-data; boundary=${boundary}` };
}

function chatWith(content: string): Buffer {
  return Buffer.from(`{"model":"bench-model","messages":[{"role":"user","content":"${content}"}]}`);
}

function embedding(input: string): Buffer {
  return Buffer.from(`{"model":"bench-model","input":${input}}`);
}

function messages(count: number): Buffer {
  const list = Array(count).fill('{"role":"user","content":[{"type":"text","text":"Hello"}]}').join(',');
  return Buffer.from(`{"model":"bench-model","messages":[${list}]}`);
}
