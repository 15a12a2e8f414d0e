import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { audioSeconds } from '../../src/protocols/audio-duration.ts';

function wavHead(bytesPerSecond: number): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF\0\0\0\0WAVEfmt ', 'latin1');
  head.writeUInt32LE(bytesPerSecond / 2, 24);
  head.writeUInt32LE(bytesPerSecond, 28);
  head.writeUInt16LE(2, 32);
  return head;
}

/** A FLAC file with a rate of 20 bits and samples of 36 bits. */
function flacHead(rate: number, samples: number): Buffer {
  const head = Buffer.alloc(42);
  head.write('fLaC', 'latin1');
  head.writeUIntBE(rate * 16, 18, 3);
  head.writeUInt8(0xf0 | Math.floor(samples / 2 ** 32), 21);
  head.writeUInt32BE(samples % 2 ** 32, 22);
  return head;
}

test('the length of audio is in its header, else its size tells it', () => {
  assert.equal(audioSeconds(wavHead(32_000), 44 + 64_000), 2);
  assert.equal(audioSeconds(wavHead(0), 32_000), 2);
  assert.equal(audioSeconds(flacHead(44_100, 441_000), 9), 10);
  assert.equal(audioSeconds(flacHead(48_000, 48_000 * 100_000), 9), 100_000);
  assert.equal(audioSeconds(flacHead(48_000, 0), 32_000), 2);
  assert.equal(audioSeconds(Buffer.from('ID3'), 160_000), 10);
  assert.equal(audioSeconds(Buffer.alloc(0), 0), 0);
});

test('a header that tells less than the file holds does not shorten it', () => {
  const wav = wavHead(32_000);
  wav.writeUInt32LE(0xffffffff, 28);
  assert.equal(audioSeconds(wav, 44 + 64_000), 2);
  const flac = flacHead(44_100, 1);
  const samples = 10 * 44_100;
  // One channel of 16 bits, beside a megabyte of tags.
  assert.equal(audioSeconds(flac, 1024 * 1024 + samples * 2), 10);
});

test('any bytes have a length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom('RIFF', 'fLaC', ''), (bytes, start) => {
      const head = Buffer.concat([Buffer.from(start), bytes]);
      const seconds = audioSeconds(head, head.length);
      assert.ok(Number.isFinite(seconds) && seconds >= 0);
    }),
  );
});
