import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { JPEG, PNG, type SampleFile, WEBP } from './chat-samples.ts';
import { serveRenderPage } from './render-page.ts';
import { findBarriers, SKIPPED, visit } from './start-browser.ts';
import { findStrangers } from './xss-watch.ts';

const options = { skip: SKIPPED };
const MB = 1024 * 1024;
const TEXT: SampleFile = { name: 'notes.md', mimeType: '', buffer: Buffer.from('# Notes\r\n```\ncode\n```') };
const PDF: SampleFile = { name: 'letter.pdf', mimeType: 'text/plain', buffer: Buffer.from('%PDF-1.7\n') };
const WAV: SampleFile = { name: 'speech.wav', mimeType: '', buffer: Buffer.from('RIFF\x04\0\0\0WAVE') };

interface Attachment {
  readonly name: string;
  readonly type: string;
  readonly kind: string;
  readonly file: File;
}
interface FilesWindow {
  readonly tray: {
    list(): Attachment[];
    set(list: Attachment[]): void;
    add(files: File[]): Promise<void>;
    settled(): Promise<void>;
  };
  attachImage(width: number, height: number, type: string, isNoise: boolean): Promise<unknown>;
  toMessageContent(text: string, list: readonly Attachment[]): Promise<unknown>;
}
declare global {
  interface Window extends FilesWindow {}
}

async function openPage(t: TestContext): Promise<Page> {
  const { page } = await visit(t, await serveRenderPage(t), '/');
  await page.getByRole('region', { name: 'Composer' }).waitFor();
  return page;
}

function chips(page: Page): Locator {
  return page.getByRole('list', { name: 'Attached files' }).getByRole('listitem');
}

/** Pastes or drops files; `html` is the text beside them in the clipboard. */
async function handOver(
  page: Page,
  way: 'paste' | 'drop',
  files: readonly SampleFile[],
  html = '',
): Promise<void> {
  const plain = files.map(({ name, mimeType, buffer }) => ({ name, mimeType, bytes: [...buffer] }));
  await page.evaluate(
    async ({ way, plain, html }) => {
      const data = new DataTransfer();
      for (const { name, mimeType, bytes } of plain)
        data.items.add(new File([new Uint8Array(bytes)], name, { type: mimeType }));
      if (html !== '') {
        data.setData('text/html', html);
        data.setData('text/plain', html);
      }
      const common = { bubbles: true, cancelable: true };
      const event =
        way === 'paste'
          ? new ClipboardEvent('paste', { ...common, clipboardData: data })
          : new DragEvent('drop', { ...common, dataTransfer: data });
      document.querySelector('textarea')?.dispatchEvent(event);
      await window.tray.settled();
    },
    { way, plain, html },
  );
}

test('files that are chosen, pasted and dropped make the same list', options, async (t) => {
  const page = await openPage(t);
  const files = [PNG, TEXT, PDF, WAV, { ...WEBP, name: 'mislabelled.png', mimeType: 'image/png' }];
  const lists: unknown[] = [];
  for (const way of ['pick', 'paste', 'drop'] as const) {
    if (way === 'pick') await page.getByLabel('Attach files').setInputFiles([...files]);
    else await handOver(page, way, files);
    await chips(page).nth(4).waitFor();
    lists.push(
      await page.evaluate(() =>
        window.tray.list().map(({ name, kind, type, file }) => [name, kind, type, file.size]),
      ),
    );
    if (way === 'drop') assert.deepEqual(await findBarriers(page), []);
    await page.evaluate(() => window.tray.set([]));
  }
  const expected = [
    ['dot.png', 'image', 'image/png', PNG.buffer.length],
    ['notes.md', 'text', 'text/plain', TEXT.buffer.length],
    ['letter.pdf', 'pdf', 'application/pdf', PDF.buffer.length],
    ['speech.wav', 'audio', 'audio/wav', WAV.buffer.length],
    ['mislabelled.png', 'image', 'image/webp', WEBP.buffer.length],
  ];
  assert.deepEqual(lists, [expected, expected, expected]);
});

test('a picture that comes with a text is not pasted', options, async (t) => {
  const page = await openPage(t);
  await handOver(page, 'paste', [PNG], '<b>text</b>');
  assert.equal(await chips(page).count(), 0);
});

test('size and tokens are shown, and a file is removed with its button', options, async (t) => {
  const page = await openPage(t);
  await handOver(page, 'drop', [PNG, TEXT, PDF]);
  assert.match((await chips(page).nth(0).textContent()) ?? '', /^dot\.png1 × 1 · \d+ B$/);
  assert.match((await chips(page).nth(1).textContent()) ?? '', /^notes\.md≈ 5 tokens$/);
  await page.getByRole('button', { name: 'Remove notes.md' }).click();
  assert.deepEqual(await chips(page).locator('.truncate').allTextContents(), ['dot.png', 'letter.pdf']);
  assert.equal(
    await page
      .getByRole('button', { name: 'Remove letter.pdf' })
      .evaluate((node) => node === document.activeElement),
    true,
  );
});

test('what is sent: text in a fence, images and files as data', options, async (t) => {
  const page = await openPage(t);
  await handOver(page, 'drop', [TEXT, PNG, PDF, WAV]);
  const content = await page.evaluate(() => window.toMessageContent('Look', window.tray.list()));
  const data = (file: SampleFile): string => file.buffer.toString('base64');
  assert.deepEqual(content, [
    { type: 'text', text: 'notes.md:\n\n````markdown\n# Notes\n```\ncode\n```\n````\n\nLook' },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${data(PNG)}` } },
    { type: 'file', file: { filename: 'letter.pdf', file_data: `data:application/pdf;base64,${data(PDF)}` } },
    { type: 'input_audio', input_audio: { data: data(WAV), format: 'wav' } },
  ]);
  assert.equal(await page.evaluate(() => window.toMessageContent('Only text', [])), 'Only text');
});

test('large images are scaled down, small ones stay as they are', options, async (t) => {
  const page = await openPage(t);
  const images = [
    [3000, 1500, 'image/png', false],
    [1000, 4000, 'image/jpeg', false],
    [2048, 10, 'image/webp', false],
    [2400, 2400, 'image/png', true],
  ] as const;
  const results: unknown[] = [];
  for (const image of images)
    results.push(
      await page.evaluate(
        ([width, height, type, isNoise]) => window.attachImage(width, height, type, isNoise),
        image,
      ),
    );
  const scaled = (name: string, type: string, width: number, height: number, isScaled = true) => ({
    name,
    type,
    isScaled,
    size: [width, height],
    real: [width, height],
    isSame: !isScaled,
    isSmall: true,
  });
  assert.deepEqual(results, [
    scaled('image.png', 'image/png', 2048, 1024),
    scaled('image.jpeg', 'image/jpeg', 512, 2048),
    scaled('image.webp', 'image/webp', 2048, 10, false),
    scaled('image.jpg', 'image/jpeg', 2048, 2048),
  ]);
});

test('files that cannot be sent are refused in words', options, async (t) => {
  const page = await openPage(t);
  const bomb = Buffer.concat([
    PNG.buffer.subarray(0, 16),
    Buffer.from([0, 1, 0, 0, 0, 1, 0, 0]),
    PNG.buffer.subarray(24),
  ]);
  const large = Buffer.concat([
    PNG.buffer.subarray(0, 16),
    Buffer.from([0, 0, 16, 0, 0, 0, 16, 0]),
    PNG.buffer.subarray(24),
  ]);
  const refused: readonly [SampleFile, string][] = [
    [
      { name: 'a.zip', mimeType: 'text/plain', buffer: Buffer.from('PK\x03\x04\0') },
      '“a.zip” cannot be attached. Choose an image, a text file, a PDF or an audio file.',
    ],
    [
      { name: 'bomb.png', mimeType: '', buffer: bomb },
      '“bomb.png” is too large: it has 4295 megapixels, the limit is 100.',
    ],
    [
      { name: 'broken.png', mimeType: '', buffer: large },
      '“broken.png” cannot be opened. The image may be damaged.',
    ],
    [
      {
        name: 'x.txt',
        mimeType: '',
        buffer: Buffer.concat([Buffer.alloc(5000, 'a'), Buffer.from([0xe4, 0x20])]),
      },
      '“x.txt” is not a text in UTF-8. Save it as UTF-8 and attach it again.',
    ],
    [
      { name: 'long.txt', mimeType: '', buffer: Buffer.alloc(512 * 1024 + 1, 'a') },
      '“long.txt” is too large: it has 512 KB and a little, the limit for text files is 512 KB.',
    ],
  ];
  for (const [file, text] of refused) {
    await handOver(page, 'drop', [file]);
    assert.equal(await page.getByRole('status').textContent(), text);
  }
  assert.equal(await chips(page).count(), 0);
  for (const [name, lengths, text] of [
    [
      'a.pdf',
      [20 * MB + 1],
      '“a.pdf” is too large: it has 20.0 MB and a little, the limit for PDF files is 20.0 MB.',
    ],
    ['b.pdf', [16 * MB, 16 * MB], 'The files are too large together: the limit is 30.0 MB.'],
    ['c.pdf', Array.from({ length: 21 }, () => 10), 'A message takes 20 files at most. Remove one first.'],
  ] as const) {
    await page.evaluate(
      async ({ name, lengths }) => {
        window.tray.set([]);
        const start = new TextEncoder().encode('%PDF-1.7\n');
        await window.tray.add(
          lengths.map((length) => new File([start, new Uint8Array(length - start.length)], name)),
        );
      },
      { name, lengths: [...lengths] },
    );
    assert.equal(await page.getByRole('status').textContent(), text);
  }
});

test('names of files are text', options, async (t) => {
  const page = await openPage(t);
  const name = '"><img src=x onerror=xss()>\u202egnp.png';
  await handOver(page, 'drop', [
    { ...PNG, name },
    { ...JPEG, name: `${'long'.repeat(60)}.jpg` },
  ]);
  assert.deepEqual(await findStrangers(page), []);
  assert.equal(
    await chips(page).locator('.truncate').first().textContent(),
    '"><img src=x onerror=xss()>gnp.png',
  );
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
});

test('files that were added before the list was emptied are not attached later', options, async (t) => {
  const page = await openPage(t);
  const count = await page.evaluate(async () => {
    const adding = window.tray.add([new File(['a'], 'a.txt'), new File(['b'], 'b.txt')]);
    window.tray.set([]);
    await adding;
    return window.tray.list().length;
  });
  assert.equal(count, 0);
});
