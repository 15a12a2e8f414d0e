import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Dialect } from '../../src/dialects/dialect.ts';
import { MESSAGES } from '../../src/dialects/messages/messages.ts';
import { RESPONSES } from '../../src/dialects/responses/responses-dialect.ts';
import { TranslatedStream } from '../../src/dialects/translated-stream.ts';
import { AnswerMeter } from '../../src/protocols/answer-meter.ts';
import { doAtOnce } from '../helpers/steps.ts';
import { about } from './messages-setup.ts';

type Json = Record<string, unknown>;

const CLIENT = { modelId: 'm', headers: {} };
const DIALECTS: readonly (readonly [Dialect, Json])[] = [
  [MESSAGES, { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }],
  [RESPONSES, { model: 'm', input: 'Hi' }],
];

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function delta(fields: Json): Json {
  return { choices: [{ index: 0, delta: fields, finish_reason: null }] };
}

function call(text: string): Json {
  return { index: 0, id: 'c', function: { name: 'f', arguments: text } };
}

describe('what waits in an answer is counted', () => {
  for (const [dialect, request] of DIALECTS) {
    test(`${dialect.name}: arguments, and parts behind an unfinished call, of which there is a limit`, () => {
      const renderer = doAtOnce(dialect.parse(request, CLIENT)).openStream(about());
      const heldAtFirst = renderer.heldBytes;
      renderer.push(delta({ tool_calls: [call(`{"a":"${'x'.repeat(10_000)}`)] }));
      assert.ok(renderer.heldBytes >= heldAtFirst + 10_000);
      const parts = times(10_000, () => [
        { type: 'text', text: 'a' },
        { type: 'thinking', thinking: 'b' },
      ]).flat();
      const push = (): string => renderer.push(delta({ content: parts }));
      push();
      assert.ok(renderer.heldBytes >= heldAtFirst + 10_000 + parts.length * 64);
      assert.throws(() => {
        for (let count = 0; count < 100; count++) push();
      }, /too large/);
    });
  }
});

describe('a stream whose provider does not close it', () => {
  for (const [dialect, request] of DIALECTS) {
    test(`${dialect.name}: keep-alives until the end, and none behind it`, () => {
      const renderer = doAtOnce(dialect.parse(request, CLIENT)).openStream(about());
      const meter = new AnswerMeter('tokens');
      const stream = new TranslatedStream({ renderer, secrets: [], meter, mayHold: () => true });
      stream.push(Buffer.from(`data: ${JSON.stringify(delta({ content: 'Hi' }))}\n\n`));
      assert.match(String(stream.idle()), /"type":"(ping|keepalive)"/);
      stream.push(Buffer.from('data: [DONE]\n\n'));
      assert.equal(stream.idle(), null);
      assert.equal(stream.push(Buffer.from(`data: ${JSON.stringify(delta({ content: 'more' }))}\n\n`)), '');
    });
  }
});
