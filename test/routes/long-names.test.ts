import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorOf } from '../helpers/picture-server.ts';
import { fileOf, postAudio, speechOf, startSpeech } from '../helpers/speech-server.ts';
import { until } from '../helpers/until.ts';
import { startTwoProviders } from './two-providers.ts';

const MIB = 1024 * 1024;

/** The line of a request, once it is written: that is after its answer has left. */
async function requestLine(logs: readonly string[], mark: string): Promise<string> {
  const find = () => logs.find((line) => line.includes('"event":"request"') && line.includes(mark));
  await until(() => find() !== undefined, `the log's line of ${mark}`);
  return find() ?? '';
}

describe('what comes from outside is short in messages and in the log', { timeout: 60_000 }, () => {
  const models = [
    ['45 MB of letters', 'x'.repeat(45 * MIB)],
    ['45 MB of escapes', '\\u0061'.repeat(7.5 * MIB)],
    ['45 MB of two-byte letters', 'é'.repeat(22 * MIB)],
    ['2,000 marks that turn the text', '\u202e'.repeat(2_000)],
  ] as const;
  for (const [what, model] of models) {
    test(`B5: a model of ${what}`, async (t) => {
      const { app } = await startTwoProviders(t);
      for (const path of ['chat/completions', 'embeddings', 'ocr']) {
        const { message, code } = await errorOf(404, await app.v1(path, `{"model":"${model}"}`));
        assert.equal(code, 'model_not_found');
        assert.ok(String(message).length < 1_500, `${String(message).length}`);
        assert.doesNotMatch(String(message), /[\p{Cc}\p{Cf}]/u);
        assert.ok((await requestLine(app.logs, `/v1/${path}`)).length < 1_600);
      }
    });
  }

  test('B5: a model, a field and a path', async (t) => {
    const { app } = await startSpeech(t);
    const file = fileOf(speechOf(5_000));
    const model = await errorOf(404, await postAudio(app, [['model', 'y'.repeat(100_000)], file]));
    assert.equal(model.code, 'model_not_found');
    assert.ok(String(model.message).length < 400);
    const name = `z${'\u202e'.repeat(4_000)}`;
    const field = await errorOf(413, await postAudio(app, [[name, 'v'.repeat(1.5 * MIB)], file]));
    assert.ok(String(field.param).length < 1_300 && String(field.message).length < 1_400);
    assert.doesNotMatch(String(field.param), /\p{Cf}/u);
    const path = await errorOf(404, await app.v1('w'.repeat(8_000), '{}'));
    assert.ok(String(path.message).length < 400);
    assert.ok((await requestLine(app.logs, '/v1/www')).length < 800);
  });
});
