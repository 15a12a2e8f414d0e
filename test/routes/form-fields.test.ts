import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MultipartReader } from '../../src/http/multipart.ts';
import { parseBoundary } from '../../src/http/multipart-headers.ts';
import { InflightBudget } from '../../src/inflight-budget.ts';
import { speechForm } from '../../src/protocols/form-kinds.ts';
import { FormParts } from '../../src/routes/v1/form-parts.ts';
import { errorOf } from '../helpers/picture-server.ts';
import { curlForm, type FormPart } from '../helpers/pictures.ts';
import { fileOf, postAudio, speechOf, startSpeech } from '../helpers/speech-server.ts';
import { expectStatus } from '../helpers/start-app.ts';

const FILE = fileOf(speechOf(5_000));
const MODEL: FormPart = ['model', 'whisper'];

describe('the fields of a form', { timeout: 30_000 }, () => {
  test('B3: each is looked at once, however many there are', async () => {
    const many = Array.from({ length: 250 }, (_, index): FormPart => [`x${index}`, `value ${index}`]);
    const { body, contentType } = curlForm([...many, MODEL, FILE]);
    async function* chunks() {
      for (let at = 0; at < body.length; at += 1_000) yield body.subarray(at, at + 1_000);
    }
    const seen: string[] = [];
    let wholes = 0;
    const form = new FormParts(new MultipartReader(chunks(), parseBoundary(contentType)), {
      kind: speechForm('transcribe'),
      fields: {
        take: (name, value) => void seen.push(`${name}=${value}`),
        finish: () => {
          wholes += 1;
        },
      },
      checkName: null,
      lease: new InflightBudget(1e9).open('test'),
      onFile: () => {},
    });
    assert.equal(await form.readModel(false), 'whisper');
    for await (const part of form.all()) for await (const _ of part.body);
    assert.deepEqual(
      seen,
      [...many, MODEL].map(([name, value]) => `${name}=${value}`),
    );
    assert.equal(wholes, 1);
  });

  const long: [string, string][] = [
    ['timestamp_granularities', `["word"${',"word"'.repeat(125_000)}]`],
    ['timestamp_granularities[]', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
    ['language', 'aa-'.repeat(300_000)],
    ['response_format', 'x'.repeat(900_000)],
    ['temperature', '0'.repeat(900_000)],
  ];
  for (const [name, value] of long) {
    test(`B3: ${name} of ${value.length} bytes among 240 others is refused at its bound`, async (t) => {
      const { app, upstream, chutes } = await startSpeech(t);
      const others = Array.from({ length: 240 }, (_, index): FormPart => [`x${index}`, 'y']);
      for (const model of ['whisper', 'chutes-whisper']) {
        const parts: FormPart[] = [['response_format', 'verbose_json'], [name, value], ...others];
        if (name === 'response_format') parts.shift();
        const response = await postAudio(app, [...parts, ['model', model], FILE]);
        const error = await errorOf(400, response);
        assert.deepEqual([error.code, error.param], ['invalid_value', name.replace('[]', '')]);
      }
      assert.deepEqual([upstream.received.length, chutes.received.length], [0, 0]);
    });
  }

  test('B3: a prompt may be long', async (t) => {
    const { app, upstream } = await startSpeech(t);
    const prompt = 'word '.repeat(200_000);
    await expectStatus(200, await postAudio(app, [['prompt', prompt], MODEL, FILE]));
    assert.ok(upstream.received[0]?.body.includes(prompt));
  });
});
