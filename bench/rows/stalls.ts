import { request } from 'node:http';
import { join } from 'node:path';
import { imageBody } from '../bodies.ts';
import { type Measurement, type Row, type Run, sampleOf } from '../measurement.ts';
import { signIn } from '../proxy-setup.ts';
import { onStage, type Stage } from '../stage.ts';

const MIB = 1024 * 1024;
const BOUNDARY = 'bench-boundary-7f3a9c';
/** Other work of the machine can only prolong a stall, so the shortest of several rounds counts. */
const ROUNDS = 5;

/**
 * The longest time for which one request stops the proxy's event loop, with the most awkward content and any size up to
 * the limits, whether it is served or refused. The goal is at most 50 ms.
 */
export const measurement: Measurement = {
  name: 'stalls',
  title: 'Longest stall of the event loop in one awkward request',
  columns: ['-', 'iPin Proxy'],
  measure: (run) =>
    onStage(run, { watchesLoop: true, keys: run.pick(1_000, 10) }, async (stage) => {
      const { headers } = await signIn(stage.proxy.port);
      const admin = { ...headers, 'x-backup-passphrase': 'benchmark-passphrase' };
      const rows: Row[] = [await measureOne(stage, warmUp())];
      for (const load of [...jsonLoads(run), ...formLoads(run)]) rows.push(await measureOne(stage, load));
      for (const load of adminLoads(run)) {
        rows.push(await measureOne(stage, { ...load, headers: admin }));
      }
      return [...rows, ...(await markdownRows(run))];
    }),
};

interface Load {
  readonly what: string;
  readonly path: string;
  readonly body: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent without `Content-Length`. */
  readonly isChunked?: boolean;
}

async function measureOne(stage: Stage, load: Load): Promise<Row> {
  const stalls: number[] = [];
  const statuses = new Set<number>();
  for (let round = 0; round < ROUNDS; round++) {
    await stage.longestStallMs();
    statuses.add(await send(stage, load));
    stalls.push(await stage.longestStallMs());
  }
  const what = `${load.what} (${[...statuses].join(', ')})`;
  return { what, unit: 'ms', bare: null, proxy: sampleOf([Math.min(...stalls)]) };
}

/** @returns the status of the answer. */
function send(stage: Stage, { path, body, headers, isChunked = false }: Load): Promise<number> {
  return new Promise((resolve, reject) => {
    const length = isChunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': body.length };
    const outgoing = request(
      { port: stage.proxy.port, path, method: 'POST', headers: { ...stage.headers, ...headers, ...length } },
      (incoming) => {
        incoming.resume();
        incoming.on('end', () => {
          resolve(incoming.statusCode ?? 0);
          outgoing.destroy();
        });
        incoming.on('close', () => resolve(0));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function warmUp(): Load {
  return { what: 'an everyday chat', path: CHAT, body: Buffer.from('{"model":"bench-model","messages":[]}') };
}

const CHAT = '/v1/chat/completions';

function jsonLoads(run: Run): Load[] {
  const size = 45 * run.pick(MIB, MIB / 8);
  const fill = (before: string, piece: string, after: string): Buffer =>
    Buffer.from(before + piece.repeat(Math.floor(size / Buffer.byteLength(piece))) + after);
  const chat = (what: string, body: Buffer): Load => ({ what, path: CHAT, body });
  const content = '{"model":"bench-model","messages":[{"role":"user","content":';
  const image = `${content}[{"type":"image_url","image_url":{"url":"data:image/png;base64,`;
  const png = imageBody(64 * 1024)
    .toString()
    .replace(/^.*"messages":\[\{"role":"user","content":\[(.*)\]\}\]\}$/s, '$1');
  const pictures = Array(Math.floor(Math.min(490, size / png.length)))
    .fill(png)
    .join(',');
  return [
    chat('45 MiB of escapes in a message', fill(`${content}"`, '\\n', '"}]}')),
    chat('45 MiB of \\u escapes in a message', fill(`${content}"`, '\\u000a', '"}]}')),
    chat('45 MiB of letters', fill(`${content}"`, 'a', '"}]}')),
    chat('45 MiB of three-byte letters', fill(`${content}"`, '\u6f22', '"}]}')),
    { ...chat('45 MiB of letters, sent in chunks', fill(`${content}"`, 'a', '"}]}')), isChunked: true },
    chat('45 MiB of white space', fill('{', '\r\n', '"model":"bench-model","messages":[]}')),
    chat('45 MiB of digits', fill('{"model":"bench-model","n":', '1', '}')),
    chat('45 MiB of short strings', fill(`{"model":"bench-model","x":["`, `${'a'.repeat(87)}","`, '"]}')),
    chat('a million empty lists', fill('{"model":"bench-model","x":[', '[],', '1]}')),
    chat('45 MiB in a name', fill('{"', '\\n', '":1,"model":"bench-model","messages":[]}')),
    chat('45 MiB in `model`', fill('{"model":"', 'x', '"}')),
    chat('45 MiB of escapes in `model`', fill('{"model":"', '\\u0061', '"}')),
    chat(
      '45 MiB that are not UTF-8 at their end',
      Buffer.concat([fill('{"x":"', '\u6f22', ''), Buffer.of(255)]),
    ),
    chat('an image of 20 MiB', imageBody(20 * run.pick(MIB, MIB / 8))),
    chat('an image of 22 million line ends', fill(image, '\\n', '"}}]}]}')),
    chat('an image of 7 million escaped letters', fill(image, '\\u0041', '"}}]}]}')),
    chat('an image in lines of 76', fill(image, `${'A'.repeat(76)}\\n`, '"}}]}]}')),
    chat('490 images of 64 KiB', Buffer.from(`${content}[${pictures}]}]}`)),
    chat(
      '100,000 types of one part',
      fill(`${content}[{"image":"https://x.example",`, '"type":"image",', '"x":1}]}]}'),
    ),
    ...translatedLoads(run),
    {
      what: 'embeddings of 45 MiB of words',
      path: '/v1/embeddings',
      body: fill('{"model":"bench-model","input":["', `${'a'.repeat(97)}","`, '"]}'),
    },
    {
      what: 'a prompt of 45 MiB for OCR',
      path: '/v1/ocr',
      body: fill('{"model":"bench-model","image_url":"https://x.example/a.png","prompt":"', '\\n', '"}'),
    },
  ];
}

/** Requests that become chat completions. */
function translatedLoads(run: Run): Load[] {
  const count = run.pick(140_000, 1_000);
  const list = (piece: string) => Array(count).fill(piece).join(',');
  const input = (what: string, items: string): Load => ({
    what: `${what}, translated`,
    path: '/v1/responses',
    body: Buffer.from(`{"model":"bench-model","input":[${items}]}`),
  });
  const data = /base64,([^"]*)/.exec(imageBody(MIB).toString())?.[1];
  const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data } };
  const messages = Array(run.pick(20, 2)).fill({ role: 'user', content: [picture] });
  return [
    {
      what: '20 messages with an image of 1 MiB, translated',
      path: '/v1/messages',
      body: Buffer.from(JSON.stringify({ model: 'bench-model', max_tokens: 5, messages })),
    },
    input(
      'a message of 140,000 texts',
      `{"role":"user","content":[${list('{"type":"input_text","text":"x"}')}]}`,
    ),
    input('140,000 messages', list('{"role":"user","content":"x"}')),
  ];
}

function formLoads(run: Run): Load[] {
  const form = (what: string, fields: readonly (readonly [string, string])[]): Load => ({
    what: `a form with ${what}`,
    path: '/v1/audio/transcriptions',
    headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
    body: Buffer.from(
      `${fields
        .map(([name, text]) => {
          return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`;
        })
        .join('')}--${BOUNDARY}--\r\n`,
    ),
  });
  const many = Array.from({ length: 240 }, (_, index) => [`x${index}`, 'y'] as const);
  const verbose = ['response_format', 'verbose_json'] as const;
  const model = ['model', 'bench-model'] as const;
  const scale = run.pick(1, 0.1);
  return [
    form('125,000 granularities', [
      verbose,
      ['timestamp_granularities', `["word"${',"word"'.repeat(125_000 * scale)}]`],
      ...many,
      model,
    ]),
    form('a language of 892 KiB', [['language', 'aa-'.repeat(304_000 * scale)], model]),
    form('nested granularities', [
      ['timestamp_granularities', '['.repeat(20_000) + ']'.repeat(20_000)],
      model,
    ]),
    form('a prompt of 1 MB of spaces', [['prompt', `a${' '.repeat(1_000_000 * scale)}b`], ...many, model]),
    form('240 names of 16 KB', [...many.map(([name]) => [name.padEnd(16_000, '[1'), 'y'] as const), model]),
    form('40 MiB of near boundaries as its file', [
      model,
      ['file"; filename="a.mp3', `\r\n--${BOUNDARY.slice(0, -1)}`.repeat((20 * MIB * scale) / 24)],
    ]),
  ];
}

function adminLoads(run: Run): Load[] {
  const count = run.pick(3_000_000, 300_000);
  const restore = '/api/admin/restore?dryRun=true';
  const key = (index: number): object => ({
    id: `key-${index}`,
    name: `Key ${index}`,
    digest: index.toString(16).padStart(64, '0'),
    keyHint: 'sk-...0000',
    enabled: true,
    models: null,
    userId: null,
    expiresAt: null,
    createdAt: '2030-01-01T00:00:00.000Z',
  });
  const keys = Array.from({ length: run.pick(10_000, 100) }, (_, index) => key(index));
  const lists = { providers: [], models: [], users: [], sessions: [], counters: [] };
  const backup = { schemaVersion: 1, instanceId: 'bench', masterKey: null, ...lists, apiKeys: keys };
  return [
    {
      what: 'a restore of 3 million empty providers',
      path: restore,
      body: Buffer.from(`{"providers":[${'{},'.repeat(count)}{}]}`),
    },
    {
      what: 'a restore of one name of 45 MB',
      path: restore,
      body: Buffer.from(`{"users":[{"name":"${'x'.repeat(15 * count)}"}]}`),
    },
    { what: 'a restore of 10,000 keys, tried', path: restore, body: Buffer.from(JSON.stringify(backup)) },
    {
      what: 'a provider of 1 MiB',
      path: '/api/admin/providers',
      body: Buffer.from(`{"id":"${'x'.repeat(MIB - 20)}"}`),
    },
    {
      what: 'a model list of 25,000 lists',
      path: '/api/admin/apikeys',
      body: Buffer.from(`{"name":"x","models":[${'[],'.repeat(16_000)}1]}`),
    },
  ];
}

/** How long the page needs to parse an answer of 200,000 characters. */
async function markdownRows(run: Run): Promise<Row[]> {
  const folder = join(import.meta.dirname, '../../../../../public/js/chat/render');
  const { createBlockStream, parseBlocks } = await import(join(folder, 'block-stream.js'));
  const { parseInline } = await import(join(folder, 'inline.js'));
  const { findLanguage, highlight } = await import(join(folder, 'highlight.js'));
  /** As it arrives at 2,000 tokens per second and 60 frames. */
  const stream = (text: string): void => {
    const blocks = createBlockStream();
    for (let at = 0; at < text.length; at += 128) {
      blocks.push(text.slice(at, at + 128));
      blocks.read();
    }
  };
  const length = run.pick(200_000, 20_000);
  const fill = (piece: string): string => piece.repeat(Math.ceil(length / piece.length));
  const texts: [string, (text: string) => unknown, string][] = [
    ['spaces under a table header', parseBlocks, `a|b\n-${fill(' ')}x`],
    ['list items', parseBlocks, fill('- a\n')],
    ['tables', parseBlocks, fill('a|b\n-|-\n\n')],
    ['addresses in addresses', parseInline, fill('http://%')],
    ['links that do not end', parseInline, fill('[') + fill('](')],
    ['emphasis', parseInline, fill('*a **b ')],
    ['a stream of one line', stream, fill('word ')],
    ['a stream of list items', stream, fill('- a\n')],
    [
      'code with colours',
      (text) => highlight(findLanguage('ts'), text, null),
      fill("const a = f('b', 1); // c\n"),
    ],
  ];
  return texts.map(([what, parse, text]) => {
    const times = Array.from({ length: ROUNDS }, () => {
      const started = performance.now();
      parse(text);
      return performance.now() - started;
    });
    return { what: `Markdown: ${what}`, unit: 'ms', bare: null, proxy: sampleOf([Math.min(...times)]) };
  });
}
