import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UNKNOWN_PRICE } from '../../src/store/price-amounts.ts';
import { json, startUpstream } from '../helpers/fake-upstream.ts';
import { startApp } from '../helpers/start-app.ts';

/** Speech of 16-bit samples at 8 kHz: 16,000 bytes a second. */
function wav(seconds: number): Buffer {
  const data = Buffer.alloc(seconds * 16_000);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8_000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

function form(fields: Record<string, string | Buffer>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') data.append(name, value);
    else data.append(name, new Blob([value]), name === 'file' ? 'speech.wav' : 'picture.png');
  }
  return data;
}

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

describe('forms of limited keys', { timeout: 60_000 }, () => {
  for (const fields of [
    { model: 'm', file: wav(6) },
    { file: wav(6), model: 'm' },
  ]) {
    test(`with ${Object.keys(fields).join(' before ')} count once`, async (t) => {
      const upstream = await startUpstream(t, json({ text: 'Hi' }));
      const app = await startApp(t);
      const price = { ...UNKNOWN_PRICE, perAudioMinute: 0.6, perImage: 2 };
      await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [{ id: 'm', price }]);
      const key = await app.addKey({ limits: { rpm: 1, tpm: 50, budgetUsd: 100 } });
      const reserved: number[] = [];
      const { admit } = app.services.limits;
      app.services.limits.admit = (request) => {
        reserved.push(request.costNanoUsd);
        return admit.call(app.services.limits, request);
      };
      const send = async (path: string, body: FormData): Promise<Response> => {
        const headers = { authorization: `Bearer ${key}` };
        const answer = await fetch(`${app.origin}/v1/${path}`, { method: 'POST', headers, body });
        await answer.text();
        return answer;
      };
      const first = await send('audio/transcriptions', form(fields));
      assert.equal(first.status, 200);
      assert.equal(first.headers.get('x-ratelimit-remaining-requests'), '0');
      assert.equal(first.headers.get('x-ratelimit-remaining-tokens'), '50');
      assert.equal((await send('audio/transcriptions', form(fields))).status, 429);
      assert.equal(upstream.received.length, 1);
      await send('images/edits', form({ n: '3', model: 'm', image: PNG }));
      const [speech = 0, , pictures] = reserved;
      // Six seconds at a cent per second; a file that is still to come is judged with the rest of the form.
      assert.ok(speech >= 0.06e9 && speech < 0.0603e9, `${speech}`);
      assert.equal(pictures, 6e9);
    });
  }

  test('an OCR form reserves a picture and an answer', async (t) => {
    const upstream = await startUpstream(
      t,
      json({ choices: [{ message: { role: 'assistant', content: 'text' } }] }),
    );
    const app = await startApp(t);
    await app.addProvider({ id: 'up', baseUrl: upstream.origin }, [
      { id: 'm', vision: true, options: { maxOutputTokens: 50 } },
    ]);
    const key = await app.addKey({ limits: { tpm: 10_000 } });
    const headers = { authorization: `Bearer ${key}` };
    const body = form({ model: 'm', file: PNG });
    const answer = await fetch(`${app.origin}/v1/ocr`, { method: 'POST', headers, body });
    assert.equal(answer.status, 200, await answer.text());
    assert.equal(answer.headers.get('x-ratelimit-remaining-tokens'), String(10_000 - 1000 - 50));
  });
});
