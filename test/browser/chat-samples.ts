import type { TestContext } from 'node:test';
import { writeWav } from '../../src/demo/wav.ts';
import { DEMO_KEY, startDemo } from '../demo/start-demo.ts';
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

function sample(name: string, mimeType: string, base64: string): SampleFile {
  return { name, mimeType, buffer: Buffer.from(base64, 'base64') };
}

/** An image in which the demo provider reads a text (PNG third edition, 11.3.3.4; nobody checks the CRC of such a chunk). */
export function pngOfText(name: string, text: string): SampleFile {
  const data = Buffer.from(`Comment\0\0\0\0\0${text}`, 'utf8');
  const chunk = Buffer.concat([Buffer.alloc(4), Buffer.from('iTXt'), data, Buffer.alloc(4)]);
  chunk.writeUInt32BE(data.length);
  const { buffer } = PNG;
  return {
    name,
    mimeType: 'image/png',
    buffer: Buffer.concat([buffer.subarray(0, PNG_HEADER_END), chunk, buffer.subarray(PNG_HEADER_END)]),
  };
}

/** A second of silence in which the demo provider hears a text. */
export function wavOfText(name: string, text: string): SampleFile {
  return { name, mimeType: 'audio/wav', buffer: writeWav(new Int16Array(8000), 8000, text) };
}

/** Puts the demo provider behind the app, with models to talk to, to hear and to read. */
export async function addDemoProvider(t: TestContext, app: AppUnderTest): Promise<void> {
  const demo = await startDemo();
  t.after(demo.stop);
  await app.addProvider({ id: 'demo', name: 'Demo', baseUrl: `${demo.origin}/v1`, apiKey: DEMO_KEY }, [
    { id: 'demo-chat' },
    { id: 'demo-whisper' },
    { id: 'demo-ocr', vision: true },
  ]);
}
