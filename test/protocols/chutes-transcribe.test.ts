import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { chutesTranscribeBody } from '../../src/protocols/chutes-transcribe.ts';
import { chunksOf, collect } from '../helpers/chunks.ts';

describe('chutesTranscribeBody()', () => {
  it('encodes the audio whatever the chunk sizes', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 7 }), { maxLength: 9 });
    const extras = fc.constantFrom({}, { language: 'en' }, { language: '"\n' });
    const property = fc.asyncProperty(chunks, extras, async (given, extra) => {
      const audio = Buffer.concat(given);
      const body = await collect(chutesTranscribeBody(chunksOf(...given), () => extra));
      assert.deepEqual(JSON.parse(body.toString()), { audio_b64: audio.toString('base64'), ...extra });
    });
    await fc.assert(property, { numRuns: 300 });
  });

  it('calls `extras` when the audio has ended', async () => {
    let language = 'none yet';
    const audio = (async function* () {
      yield Buffer.from('abc');
      language = 'de';
    })();
    const body = await collect(chutesTranscribeBody(audio, () => ({ language })));
    assert.equal(body.toString(), '{"audio_b64":"YWJj","language":"de"}');
  });

  it('encodes a large chunk slice by slice', async () => {
    const audio = Buffer.alloc(1_000_000, 'x');
    const sizes: number[] = [];
    const parts: Buffer[] = [];
    for await (const part of chutesTranscribeBody(chunksOf(audio), () => ({}))) {
      sizes.push(part.length);
      parts.push(part);
    }
    assert.ok(Math.max(...sizes) <= 65_536);
    assert.equal(JSON.parse(Buffer.concat(parts).toString()).audio_b64, audio.toString('base64'));
  });
});
