import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { AnswerMeter } from '../../src/protocols/answer-meter.ts';
import { EventStream } from '../../src/protocols/event-stream.ts';
import { showsUsage } from '../../src/protocols/hidden-usage.ts';

/** What a client gets of a stream that is cut at these offsets; `model` is the name that the client asked for. */
function shown(text: string, cuts: readonly number[] = [], model: string | null = null): string {
  const stream = new EventStream({
    model,
    streamEnd: 'chat',
    hideUsage: true,
    secrets: [],
    meter: new AnswerMeter('tokens'),
  });
  const bytes = Buffer.from(text);
  const parts: (Buffer | null)[] = [];
  let from = 0;
  for (const at of [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)) {
    parts.push(stream.push(bytes.subarray(from, at)));
    from = at;
  }
  parts.push(stream.end());
  return Buffer.concat(parts.filter((part) => part !== null)).toString();
}

const USAGE = '{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}';
const DONE = 'data: [DONE]\n\n';

/** A chunk with text; `usage` is written as it is, at the given place among the members. */
function chunk(content: string, usage = '', place: 'first' | 'last' = 'last', model = 'real'): string {
  const choices = JSON.stringify([{ index: 0, delta: { content }, finish_reason: null }]);
  const members = [`"model":"${model}"`, `"choices":${choices}`];
  if (usage !== '') members.splice(place === 'first' ? 0 : members.length, 0, `"usage":${usage}`);
  return `data: {${members.join(',')}}\n\n`;
}

/** Records as the provider sends them, and what is left of each. */
const ROWS: readonly (readonly [name: string, sent: string, left: string])[] = [
  ['a record with usage alone', `data: {"id":"c","choices":[],"usage":${USAGE}}\n\n`, ''],
  ['white space in it', `data: { "choices" : [ ] , "usage" : ${USAGE} }\n\n`, ''],
  ['no choices at all', `data: {"id":"c","usage":${USAGE}}\n\n`, ''],
  ['choices that are null', `data: {"choices":null,"usage":${USAGE}}\n\n`, ''],
  ['without a space', `data:{"choices":[],"usage":${USAGE}}\n\n`, ''],
  ['with an id and an event', `id: 7\nevent: message\ndata: {"choices":[],"usage":${USAGE}}\n\n`, ''],
  ['over several lines', `data: {"choices":[],\ndata: "usage":${USAGE}}\n\n`, ''],
  ['usage at the end of content', chunk('a', USAGE), chunk('a')],
  ['usage at the start of content', chunk('a', USAGE, 'first'), chunk('a')],
  [
    'an empty choice with usage',
    `data: {"choices":[{"delta":{}}],"usage":${USAGE}}\n\n`,
    'data: {"choices":[{"delta":{}}]}\n\n',
  ],
  ['a number', chunk('a', '5'), chunk('a')],
  [
    'content over several lines',
    `data: {"choices":[{}],\ndata: "usage":{}}\n\n`,
    'data: {"choices":[{}]}\n\n',
  ],
  ['null', chunk('a', 'null'), chunk('a', 'null')],
  ['null and no choices', 'data: {"choices":[],"usage":null}\n\n', 'data: {"choices":[],"usage":null}\n\n'],
  [
    'usage elsewhere (Groq)',
    'data: {"choices":[{}],"x_groq":{"usage":{"a":1}}}\n\n',
    'data: {"choices":[{}],"x_groq":{"usage":{"a":1}}}\n\n',
  ],
  ['talk of usage', chunk('"usage":{"a":1}'), chunk('"usage":{"a":1}')],
  [
    'no choices and no usage',
    'data: {"choices":[],"prompt_filter_results":[]}\n\n',
    'data: {"choices":[],"prompt_filter_results":[]}\n\n',
  ],
  ['broken JSON', 'data: {"choices":[],"usage":{\n\n', 'data: {"choices":[],"usage":{\n\n'],
  ['a comment', ': "usage":{}\n\n', ': "usage":{}\n\n'],
];

describe('EventStream with hidden usage', () => {
  for (const [name, sent, left] of ROWS) {
    test(`hides usage, and nothing else: ${name}`, () => {
      assert.equal(shown(sent + chunk('b') + DONE), left + chunk('b') + DONE);
      assert.equal(shown(chunk('b') + sent + DONE), chunk('b') + left + DONE);
      assert.equal(shown(chunk('b') + sent), `${chunk('b')}${left}${shown('')}`, 'at the end');
    });
  }

  test('hides the same whatever the chunks, line ends and model', () => {
    const record = fc.constantFrom<readonly [string, string]>(
      ...ROWS.filter(([name]) => !name.includes('lines')).map(([, sent, left]) => [sent, left] as const),
      [chunk('é😀'), chunk('é😀')],
      [': ping\n\n', ': ping\n\n'],
    );
    const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
    const cuts = fc.array(fc.nat(), { maxLength: 12 });
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 6 }),
        lineEnd,
        cuts,
        fc.boolean(),
        (records, eol, places, isRenamed) => {
          const all = [...records, [DONE, DONE] as const];
          const sent = all.map(([text]) => text).join('');
          const left = all.map(([, text]) => text).join('');
          const expected = isRenamed ? left.replaceAll('{"model":"real"', '{"model":"alias"') : left;
          assert.equal(
            shown(sent.replaceAll('\n', eol), places, isRenamed ? 'alias' : null),
            expected.replaceAll('\n', eol),
          );
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('removes usage from content of any size, in any pieces', () => {
    for (const size of [10, 5_000, 100_000, 3_000_000]) {
      const text = 'x\\n"'.repeat(size / 4);
      for (const place of ['first', 'last'] as const) {
        const sent = chunk('a') + chunk(text, USAGE, place) + DONE;
        const left = chunk('a') + chunk(text) + DONE;
        const pieces = Array.from({ length: Math.ceil(sent.length / 10_007) }, (_, index) => index * 10_007);
        for (const cuts of [[], pieces, [sent.length - DONE.length - USAGE.length], [70]]) {
          assert.ok(shown(sent, cuts) === left, `${size} ${place} ${cuts.length}`);
          const renamed = left.replaceAll('"model":"real"', '"model":"alias"');
          assert.ok(shown(sent, cuts, 'alias') === renamed, `${size} ${place} ${cuts.length} renamed`);
        }
      }
    }
  });

  test('passes thousands of chunks with `usage: null` as they are', () => {
    const stream = new EventStream({
      model: null,
      streamEnd: 'chat',
      hideUsage: true,
      secrets: [],
      meter: new AnswerMeter('tokens'),
    });
    const chunks = Buffer.from(chunk('a', 'null').repeat(5_000));
    assert.equal(stream.push(chunks), chunks, 'not even copied');
  });

  test('passes an error that comes with usage', () => {
    const text = `data: {"error":{"message":"m"},"choices":[],"usage":${USAGE}}\n\n`;
    assert.match(shown(text), /^data: \{"error":\{"message":"m"/);
  });
});

test('showsUsage() finds usage that is not null', () => {
  for (const text of ['"usage":{}', '"usage" : {', '"usage":null,"usage":1', '"usage":'])
    assert.equal(showsUsage(Buffer.from(text)), true, text);
  for (const text of [
    '',
    '"usage":null',
    '"usage" : null',
    '"a":"usage","b":1',
    'usage:{}',
    '\\"usage\\":{}',
    '"usage"',
  ])
    assert.equal(showsUsage(Buffer.from(text)), false, text);
});
