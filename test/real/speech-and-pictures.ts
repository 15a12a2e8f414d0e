// Real speech and a real picture through the proxy, to a recogniser and an OCR engine behind small stand-ins. Not part of
// `npm test`, since it needs programs: apt-get install espeak-ng pocketsphinx pocketsphinx-en-us sox tesseract-ocr chromium
// Run it by hand: node --import tsx --test test/real/speech-and-pictures.ts
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import OpenAI, { toFile } from 'openai';
import { type ReceivedRequest, startUpstream } from '../helpers/fake-upstream.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';
import { makeTestFolder } from '../helpers/start-server.ts';

const SPOKEN =
  'The people of this country want to know what the government is going to do about the price of water.';
const WRITTEN =
  'Invoice 4711: twelve bottles of red wine, forty pounds of coffee, three small tables, paid on Monday.';

const run = promisify(execFile);

test('speech that was synthesised comes back as its words', async (t) => {
  const folder = makeTestFolder(t);
  const recogniser = await startUpstream(t, async (_req, res, request) => {
    const form = await new Response(new Uint8Array(request.body), { headers: typeOf(request) }).formData();
    const file = form.get('file');
    assert.ok(file instanceof Blob);
    writeFileSync(join(folder, 'received.wav'), Buffer.from(await file.arrayBuffer()));
    const converted = join(folder, 'converted.wav');
    await run('sox', [join(folder, 'received.wav'), '-r', '16000', '-c', '1', '-b', '16', converted]);
    const { stdout } = await run('pocketsphinx_continuous', ['-infile', converted, '-logfn', '/dev/null']);
    answerJson(res, { text: stdout.replaceAll('\n', ' ').trim() });
  });
  const app = await startApp(t);
  await app.addProvider({ id: 'speech', baseUrl: `${recogniser.origin}/v1` }, [{ id: 'sphinx' }]);
  const wav = join(folder, 'spoken.wav');
  await run('espeak-ng', ['-v', 'en-us+f2', '-s', '140', '-p', '30', '-w', wav, SPOKEN]);

  const file = await toFile(readFileSync(wav), 'spoken.wav');
  const { text } = await client(app).audio.transcriptions.create({ file, model: 'sphinx' });

  report('Spoken', SPOKEN, text, 0.5);
});

test('a picture of words comes back as its words', async (t) => {
  const folder = makeTestFolder(t);
  const reader = await startUpstream(t, async (_req, res, request) => {
    const url = /"url":"data:image\/png;base64,([^"]+)"/.exec(request.body.toString())?.[1] ?? '';
    writeFileSync(join(folder, 'received.png'), Buffer.from(url, 'base64'));
    const { stdout } = await run('tesseract', [join(folder, 'received.png'), '-', '--psm', '6']);
    const message = { role: 'assistant', content: stdout.trim() };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    answerJson(res, { id: 'x', object: 'chat.completion', created: 1, model: 'tesseract', choices });
  });
  const app = await startApp(t);
  await app.addProvider({ id: 'pictures', baseUrl: `${reader.origin}/v1` }, [
    { id: 'tesseract', vision: true },
  ]);
  const picture = await drawText(folder);

  const form = new FormData();
  form.set('file', new Blob([picture], { type: 'image/png' }), 'invoice.png');
  form.set('model', 'tesseract');
  const headers = { authorization: `Bearer ${MASTER_KEY}` };
  const response = await fetch(`${app.origin}/v1/ocr`, { method: 'POST', headers, body: form });
  const answer = JSON.parse(await response.text());

  report('Written', WRITTEN, answer.text, 0.9);
});

async function drawText(folder: string): Promise<Uint8Array<ArrayBuffer>> {
  const page = join(folder, 'page.html');
  writeFileSync(
    page,
    `<body style="font: 28px/1.5 serif; margin: 30px; background: white">${WRITTEN}</body>`,
  );
  const options = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--window-size=900,260',
    '--hide-scrollbars',
  ];
  await run('chromium', [...options, `--screenshot=${join(folder, 'page.png')}`, `file://${page}`]);
  return new Uint8Array(readFileSync(join(folder, 'page.png')));
}

function client(app: AppUnderTest): OpenAI {
  return new OpenAI({ baseURL: `${app.origin}/v1`, apiKey: MASTER_KEY, maxRetries: 0 });
}

function typeOf(request: ReceivedRequest): Record<string, string> {
  return { 'content-type': request.headers['content-type'] ?? '' };
}

function answerJson(res: Parameters<Parameters<typeof startUpstream>[1]>[1], value: unknown): void {
  res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** Prints both texts; fails when fewer of the words came back, in their order, than `least` says. */
function report(title: string, sent: string, received: string, least: number): void {
  const wanted = wordsOf(sent);
  const found = commonInOrder(wanted, wordsOf(received));
  console.log(`${title}: ${sent}\n  read: ${received.replaceAll('\n', ' ')}`);
  console.log(`  ${found} of ${wanted.length} words came back in their order`);
  assert.ok(found >= least * wanted.length, `${found} of ${wanted.length} words`);
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

/** Length of the longest common subsequence of two lists of words. */
function commonInOrder(left: readonly string[], right: readonly string[]): number {
  let row = Array<number>(right.length + 1).fill(0);
  for (const word of left) {
    const next = [0];
    right.forEach((other, index) => {
      const here = word === other ? (row[index] ?? 0) + 1 : Math.max(row[index + 1] ?? 0, next[index] ?? 0);
      next.push(here);
    });
    row = next;
  }
  return row.at(-1) ?? 0;
}
