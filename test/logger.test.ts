import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLogger, type LogFields, LogSecrets } from '../src/logger.ts';
import { redact } from '../src/redaction.ts';

const HEX = '0123456789abcdef';
const BASE62 = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4';

/** One line, as it is written. */
function lineOf(fields: LogFields, secrets: readonly string[] = []): string {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  createLogger({ level: 'info', write, now: () => 0, secrets: new LogSecrets(secrets) }).info(
    'event',
    fields,
  );
  return lines.join('');
}

describe('redact()', () => {
  const keys = [
    ['OpenAI', `sk-${BASE62}`],
    ['OpenAI, of a project', `sk-proj-${BASE62}-_${BASE62}T3BlbkFJ${BASE62}`],
    ['OpenAI, of a service account', `sk-svcacct-${BASE62}`],
    ['Anthropic', `sk-ant-api03-${BASE62}_-${BASE62}AA`],
    ['OpenRouter', `sk-or-v1-${HEX.repeat(4)}`],
    ['DeepSeek', `sk-${HEX.repeat(2)}`],
    ['letters alone', 'sk-abcdefghijklmnop'],
    ['Groq', `gsk_${BASE62}`],
    ['xAI', `xai-${BASE62}${BASE62.slice(0, 32)}`],
    ['Chutes', `cpk_${HEX.repeat(2)}.${HEX.repeat(2)}`],
    ['Replicate', `r8_${BASE62.slice(0, 37)}`],
    ['Hugging Face', 'hf_aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH'],
    ['Google', `AIzaSy${BASE62.slice(0, 20)}-_${BASE62.slice(0, 11)}`],
    ['GitHub', `ghp_${BASE62.slice(0, 36)}`],
    ['Amazon', 'AKIAIOSFODNN7EXAMPLE'],
  ] as const;
  for (const [whose, key] of keys) {
    test(`A11: takes out a key of ${whose}`, () => {
      const start = key.slice(0, 20);
      for (const text of [key, `key=${key}`, `Incorrect key: ${key}.`, `{"key":"${key}"}`]) {
        assert.ok(!redact(text, []).includes(start), text);
        assert.ok(!lineOf({ text: `first\n${key}` }).includes(start));
      }
    });
  }

  for (const name of [
    'hf-internal-testing/tiny-random-gpt2',
    'hf_transfer',
    'sk-learn-something',
    'AIza',
    'AIzawa-et-al/short-name',
    'xai-org/grok-1',
    'gsk_small',
    'r8-large-model',
    'meta-llama/Llama-3.3-70B-Instruct',
    'task-0123456789abcdef0123',
  ]) {
    test(`A11: lets the name ${name} be`, () => assert.equal(redact(name, []), name));
  }
});

describe('createLogger()', () => {
  test('B5: cuts each text to 200 characters, and a stack further on', () => {
    const line = lineOf({ model: 'x'.repeat(45_000_000), stack: 'y'.repeat(100_000), short: 'z' });
    const { model, stack, short } = JSON.parse(line);
    assert.equal(model, `${'x'.repeat(199)}…`);
    assert.equal(stack.length, 8_000);
    assert.equal(short, 'z');
  });

  test('B5: splits no pair of surrogates', () => {
    const { model } = JSON.parse(lineOf({ model: `${'x'.repeat(198)}${'\u{1f600}'.repeat(9)}` }));
    assert.equal(model, `${'x'.repeat(198)}…`);
  });

  test('B5: escapes what hides or reorders text, and the line means the same', () => {
    const model =
      'a\u0085b\u009fc\u200ed\u200fe\u202ef\u2066g\u2069h\u2028i\u2029j\ud800k\x1b[31m\x7f\u{e0041}é漢';
    const line = lineOf({ model });
    assert.match(line, /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+\n$/u);
    assert.equal(JSON.parse(line).model, model);
    assert.ok(line.includes('é漢'));
  });

  test('B5: a secret that the cut would divide is not shown in part', () => {
    const secret = 'correct-horse-battery-staple-of-a-provider';
    const line = lineOf({ model: `${'x'.repeat(180)}${secret}${'y'.repeat(500)}` }, [secret]);
    assert.ok(!line.includes('correct'));
  });
});

test('A11: the keys of records are redacted from the time when there are records, and after each change', () => {
  const lines: string[] = [];
  let providers: ReadonlyMap<string, { keys: { secret: string | null }[] }> | undefined;
  const secrets = new LogSecrets(['fixed secret'], () => providers);
  const write = (line: string) => void lines.push(line);
  const logger = createLogger({ level: 'info', write, now: () => 0, secrets });
  const logged = (message: string): string => {
    logger.info('event', { message });
    return lines.at(-1) ?? '';
  };
  assert.match(logged('fixed secret, first "key"'), /"\[redacted\], first \\"key\\""/);
  providers = new Map([
    ['a', { keys: [{ secret: 'first "key"' }, { secret: 'another key' }] }],
    ['b', { keys: [{ secret: null }] }],
    ['c', { keys: [] }],
  ]);
  assert.match(logged('fixed secret, first "key"'), /"\[redacted\], \[redacted\]"/);
  assert.match(logged('another key'), /"\[redacted\]"/);
  providers = new Map([['a', { keys: [{ secret: 'second key' }] }]]);
  assert.match(logged('first "key", second key'), /"first \\"key\\", \[redacted\]"/);
});
