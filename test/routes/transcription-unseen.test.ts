import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Answer, FakeUpstream } from '../helpers/fake-upstream.ts';
import { errorOf } from '../helpers/picture-server.ts';
import type { FormPart } from '../helpers/pictures.ts';
import { fileOf, postAudio, speechOf, startSpeech } from '../helpers/speech-server.ts';
import { expectStatus } from '../helpers/start-app.ts';

/** As it would stand in a form, and in the JSON for Chutes, where whole groups of three bytes are encoded alike. */
const SECRET = 'not audio, not for anybody else.';
const SECRETS = [SECRET, Buffer.from(SECRET.slice(0, 30)).toString('base64')];
const REFUSED: readonly (readonly [string, FormPart])[] = [
  ['a text', fileOf(Buffer.from(SECRET.repeat(3000)), 'notes.txt', 'text/plain')],
  ['a text of a few bytes', fileOf(Buffer.from(SECRET), 'notes.txt', 'text/plain')],
  ['a PDF', fileOf(Buffer.from(`%PDF-${SECRET.repeat(3000)}`), 'scan.pdf', 'application/pdf')],
  ['sound of another kind', fileOf(Buffer.from(SECRET.repeat(3000)), 'a.wma', 'audio/x-ms-wma')],
  [
    'only a name of another kind',
    fileOf(Buffer.from(SECRET.repeat(3000)), 'a.bin', 'application/octet-stream'),
  ],
];

/** Keeps what comes of each request's body, whole or not, oldest first. */
function watchBodies(upstream: FakeUpstream): readonly Buffer[][] {
  const bodies: Buffer[][] = [];
  const answerWhole: Answer = upstream.answer;
  upstream.answer = (req, res, request) => {
    const chunks: Buffer[] = [];
    bodies.push(chunks);
    req.on('error', () => {});
    req.on('data', (chunk: Buffer) => void chunks.push(chunk));
    req.on('end', () => answerWhole(req, res, request));
  };
  return bodies;
}

describe('of a file that is no audio', { timeout: 30_000 }, () => {
  for (const [kind, file] of REFUSED) {
    for (const model of ['whisper', 'chutes-whisper']) {
      test(`no byte gets to the provider of ${model}: ${kind}`, async (t) => {
        const { app, upstream, chutes } = await startSpeech(t, { readBodies: false });
        const bodies = watchBodies(model === 'whisper' ? upstream : chutes);
        const behind = await errorOf(400, await postAudio(app, [file, ['model', model]]));
        assert.deepEqual([behind.code, behind.param], ['invalid_value', 'file']);
        const speech = fileOf(speechOf(1000));
        await expectStatus(200, await postAudio(app, [speech, ['model', model]]));
        assert.equal(bodies.length, 1, 'before the model is known no provider is asked');
        const before = await errorOf(400, await postAudio(app, [['model', model], file]));
        assert.deepEqual(before, behind);
        // Connections are taken in their order: when this is answered, what was sent before it has been seen.
        await expectStatus(200, await postAudio(app, [['model', model], speech]));
        assert.ok(!SECRETS.some((secret) => Buffer.concat(bodies.flat()).includes(secret)));
        await expectStatus(
          200,
          await postAudio(app, [
            ['model', model],
            ['file', Buffer.from(SECRET), { name: 'a.wav' }],
          ]),
        );
        assert.ok(
          SECRETS.some((secret) => Buffer.concat(bodies.flat()).includes(secret)),
          'can be seen',
        );
      });
    }
  }
});
