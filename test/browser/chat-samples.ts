import type { TestContext } from 'node:test';
import { writeWav } from '../../src/demo/wav.ts';
import { DEMO_KEY, startDemo } from '../demo/start-demo.ts';
import { CHAT_ANSWER, json, startUpstream } from '../helpers/fake-upstream.ts';
import { sentPictures } from '../helpers/pictures.ts';
import type { AppUnderTest } from '../helpers/start-app.ts';

export interface SampleFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

export const PNG = sample(
  'dot.png',
  'image/png',
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
);
export const GIF = sample('dot.gif', 'image/gif', 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7');
export const WEBP = sample('dot.webp', 'image/webp', 'UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==');
export const JPEG = sample(
  'dot.jpg',
  'image/jpeg',
  '/9j/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/yQALCAABAAEBAREA/8wABgAQEAX/2gAIAQEAAD8A0s8g/9k=',
);

const PNG_HEADER_END = 33;
/** Keyword, no compression, no language, no translated keyword. */
const TEXT_CHUNK_START = 'Comment\0\0\0\0\0';

function sample(name: string, mimeType: string, base64: string): SampleFile {
  return { name, mimeType, buffer: Buffer.from(base64, 'base64') };
}

/** An image that carries a text (PNG third edition, 11.3.3.4; the checksum of the chunk is left out, as nobody checks it). */
export function pngOfText(name: string, text: string): SampleFile {
  const data = Buffer.from(`${TEXT_CHUNK_START}${text}`, 'utf8');
  const chunk = Buffer.concat([Buffer.alloc(4), Buffer.from('iTXt'), data, Buffer.alloc(4)]);
  chunk.writeUInt32BE(data.length);
  const { buffer } = PNG;
  return {
    name,
    mimeType: 'image/png',
    buffer: Buffer.concat([buffer.subarray(0, PNG_HEADER_END), chunk, buffer.subarray(PNG_HEADER_END)]),
  };
}

/** Reads the text of an image that `pngOfText` made. */
function textOfPng(png: Buffer): string {
  const length = png.readUInt32BE(PNG_HEADER_END);
  const start = PNG_HEADER_END + 8;
  return png.toString('utf8', start + TEXT_CHUNK_START.length, start + length);
}

/** A second of silence in which the demo provider hears a text. */
export function wavOfText(name: string, text: string): SampleFile {
  return { name, mimeType: 'audio/wav', buffer: writeWav(new Int16Array(8000), 8000, text) };
}

/** Puts the demo provider behind the app with models to talk to and to hear, and a scripted model that reads images. */
export async function addDemoProvider(
  t: TestContext,
  app: AppUnderTest,
  more: readonly string[] = [],
): Promise<void> {
  const demo = await startDemo();
  t.after(demo.stop);
  await app.addProvider({ id: 'demo', name: 'Demo', baseUrl: `${demo.origin}/v1`, apiKey: DEMO_KEY }, [
    { id: 'demo-chat' },
    { id: 'demo-whisper' },
    ...more.map((id) => ({ id })),
  ]);
  const reader = await startUpstream(t, (req, res, request) => {
    const [picture] = sentPictures(request);
    const content = textOfPng(Buffer.from(picture?.url.split(',')[1] ?? '', 'base64'));
    const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
    json({ ...CHAT_ANSWER, choices })(req, res, request);
  });
  await app.addProvider({ id: 'reader', baseUrl: reader.origin }, [{ id: 'demo-ocr', vision: true }]);
}
