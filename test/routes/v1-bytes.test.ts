import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FakeUpstream, startUpstream } from '../helpers/fake-upstream.ts';
import { type JsonTree, type JsonTreeMember, jsonText, jsonTree } from '../helpers/json-text.ts';
import { type AppUnderTest, MASTER_KEY, startApp } from '../helpers/start-app.ts';

const RUNS = process.env['IPIN_LONG'] === '1' ? 5_000 : 150;
/** Stands in generated text for the value of the top-level `model`, to be replaced there and nowhere else. */
const PLACE = '"@@the model@@"';
const NESTED = [
  'model',
  'Model',
  'models',
  'stream',
  'fallbacks',
  'content',
  'a',
  '',
  'model ',
  '__proto__',
  'constructor',
];
const TOP = [
  'messages',
  'input',
  'temperature',
  'tools',
  'metadata',
  'seed',
  'x',
  'modell',
  'mode',
  'response',
  'user',
  '__proto__',
];

/** How a client may write the same string. */
function spellings(text: string): fc.Arbitrary<string> {
  const units = [...text].map((letter) =>
    fc.constantFrom(letter, letter, `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
  return fc.tuple(...units).map((parts) => `"${parts.join('')}"`);
}

const deep = fc
  .record({ depth: fc.integer({ min: 1, max: 124 }), isArray: fc.boolean() })
  .map(({ depth, isArray }) => {
    const [open, close] = isArray ? ['[', ']'] : ['{"model":', '}'];
    return { type: 'raw' as const, text: `${open.repeat(depth)}1${close.repeat(depth)}` };
  });

function memberOf(names: readonly string[], value: fc.Arbitrary<JsonTree>): fc.Arbitrary<JsonTreeMember> {
  return fc
    .record({ name: fc.constantFrom(...names), value })
    .map(({ name, value: tree }) => ({ name, rawName: JSON.stringify(name), value: tree }));
}

/** Objects with exactly one `model`, anywhere among members of all kinds, whose own members may be called anything. */
const oneModel = fc
  .record({
    before: fc.array(
      memberOf(TOP, fc.oneof({ weight: 5, arbitrary: jsonTree(NESTED) }, { weight: 1, arbitrary: deep })),
      { maxLength: 4 },
    ),
    after: fc.array(memberOf(TOP, jsonTree(NESTED)), { maxLength: 4 }),
    rawName: spellings('model'),
  })
  .map(({ before, after, rawName }) => ({
    type: 'object' as const,
    members: [...before, { name: 'model', rawName, value: { type: 'raw' as const, text: PLACE } }, ...after],
  }));

const texts = jsonText(oneModel).map(({ body }) => body.toString());

async function start(
  t: Parameters<typeof startApp>[0],
): Promise<{ app: AppUnderTest; upstream: FakeUpstream; narrow: string }> {
  const upstream = await startUpstream(t, (_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}');
  });
  const app = await startApp(t);
  await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [
    { id: 'same' },
    { id: 'alias', upstreamModel: 'Vendor/"real"' },
  ]);
  return { app, upstream, narrow: await app.addKey({ models: ['same', 'alias'] }) };
}

test('a body arrives byte for byte but for the name of the model, and so does the answer', {
  timeout: 120_000,
}, async (t) => {
  const { app, upstream } = await start(t);
  let reply = '';
  upstream.answer = (_req, res) => res.writeHead(200, { 'content-type': 'application/json' }).end(reply);
  const asked = fc
    .constantFrom('same', 'alias')
    .chain((id) => fc.record({ id: fc.constant(id), raw: spellings(id) }));
  await fc.assert(
    fc.asyncProperty(texts, texts, asked, async (request, answer, { id, raw }) => {
      reply = answer.replace(PLACE, '"what the provider calls it"');
      const response = await app.v1(
        'chat/completions',
        request.replace(PLACE, () => raw),
      );
      const text = await response.text();
      assert.equal(response.status, 200, text);
      const sent = id === 'same' ? raw : JSON.stringify('Vendor/"real"');
      const arrived = upstream.received.pop()?.body;
      assert.ok(arrived?.equals(Buffer.from(request.replace(PLACE, () => sent))), 'the request');
      assert.equal(text, id === 'same' ? reply : answer.replace(PLACE, '"alias"'), 'the answer');
    }),
    { numRuns: RUNS },
  );
});

test('a body that readers may understand differently is refused, and nothing of it reaches the provider', {
  timeout: 120_000,
}, async (t) => {
  const { app, upstream, narrow } = await start(t);
  const again = fc.oneof(spellings('model'), spellings('Model'), spellings('MODEL'), spellings('modeL'));
  const value = fc.constantFrom('"same"', '"other"', 'null', '1', '{}', '""', '["same"]');
  const pickers = fc.oneof(
    ...[
      'models',
      'fallbacks',
      'route',
      'Models',
      'FALLBACKS',
      'Route',
      'model\u017f',
      'fallbac\u212a\u017f',
    ].map(spellings),
  );
  const second = fc.record({ rawName: again, value, key: fc.constant<string | undefined>(undefined) });
  const picker = fc.record({ rawName: pickers, value, key: fc.constant<string | undefined>(narrow) });
  await fc.assert(
    fc.asyncProperty(texts, fc.oneof(second, picker), fc.boolean(), async (text, extra, isFirst) => {
      const whole = text.replace(PLACE, '"same"').trim();
      const member = `${extra.rawName}:${extra.value}`;
      const body = isFirst ? `{${member},${whole.slice(1)}` : `${whole.slice(0, -1)},${member}}`;
      const response = await app.v1('chat/completions', body, extra.key);
      const { error } = (await response.json()) as { error?: { code: string } };
      assert.deepEqual([response.status, error?.code], [400, 'invalid_body'], body);
      assert.equal(upstream.received.length, 0);
    }),
    { numRuns: RUNS },
  );
});

test('whatever bytes are sent: an answer in the envelope, or what JSON.parse would also accept', {
  timeout: 120_000,
}, async (t) => {
  const { app, upstream } = await start(t);
  const whole = texts.map((text) => text.replace(PLACE, '"same"'));
  const broken = fc
    .record({ text: whole, at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), cut: fc.boolean() })
    .map(({ text, at, byte, cut }) => {
      const bytes = Buffer.from(text);
      const index = at % bytes.length;
      if (cut) return bytes.subarray(0, index);
      bytes[index] = byte;
      return bytes;
    });
  await fc.assert(
    fc.asyncProperty(broken, async (bytes) => {
      const response = await fetch(`${app.origin}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${MASTER_KEY}`, 'content-type': 'application/json' },
        body: bytes,
      });
      const answer = (await response.json()) as { error?: { code: string } };
      if (response.status !== 200) {
        assert.ok(response.status === 400 || response.status === 404, String(response.status));
        assert.ok(answer.error !== undefined);
        return;
      }
      assert.doesNotThrow(() => JSON.parse(bytes.toString()));
      assert.ok(upstream.received.pop()?.body.equals(bytes));
    }),
    { numRuns: RUNS },
  );
  assert.ok(!app.logs.some((line) => line.includes('internal error')));
});
