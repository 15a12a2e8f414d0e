import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { toFile } from 'openai';
import { readImage } from '../../src/demo/describe-image.ts';
import { readWav } from '../../src/demo/wav.ts';
import { DEMO_KEY, type RunningDemo, startDemo } from './start-demo.ts';

const SPOKEN = 'Hello there. This is the demo provider!';

describe('images and audio of the demo provider', () => {
  let demo: RunningDemo;
  let wav: Buffer;
  before(async () => {
    demo = await startDemo();
    wav = await speak({ response_format: 'wav' });
  });
  after(() => demo.stop());

  const speak = async (more: object): Promise<Buffer> => {
    const request = { model: 'demo-tts', voice: 'alloy', input: SPOKEN, ...more };
    return Buffer.from(await (await demo.openai.audio.speech.create(request)).arrayBuffer());
  };
  const paint = async (more: object) => {
    const answer = await demo.openai.images.generate({
      model: 'demo-image',
      prompt: 'A cat',
      stream: false,
      ...more,
    });
    return (answer.data ?? []).map((image) => Buffer.from(image.b64_json ?? '', 'base64'));
  };
  const form = (path: string, fields: Record<string, string | Blob>) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    return fetch(`${demo.origin}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${DEMO_KEY}` },
      body,
    });
  };

  test('speech is a WAV whose length follows text and speed', async () => {
    const seconds = (bytes: Buffer): number => readWav(bytes)?.durationSeconds ?? 0;
    const longer = await speak({ input: `${SPOKEN} ${SPOKEN}`, response_format: 'wav' });
    assert.ok(seconds(wav) > 1);
    assert.ok(seconds(longer) > 1.9 * seconds(wav));
    assert.ok(Math.abs(seconds(await speak({ speed: 2 })) - seconds(wav) / 2) < 0.01);
    const pcm = await speak({ response_format: 'pcm' });
    assert.ok(wav.includes(pcm), 'the samples are the same');
  });

  test('speech has the content type of its format and refuses others', async () => {
    for (const [format, type] of [
      ['mp3', 'audio/mpeg'],
      ['opus', 'audio/ogg'],
      ['aac', 'audio/aac'],
      ['flac', 'audio/flac'],
      ['wav', 'audio/wav'],
      ['pcm', 'audio/pcm'],
      [undefined, 'audio/mpeg'],
    ]) {
      const body = { model: 'demo-tts', voice: 'alloy', input: 'Hi', response_format: format };
      const response = await demo.post('/v1/audio/speech', body);
      await response.arrayBuffer();
      assert.equal(response.headers.get('content-type'), type);
    }
    for (const wrong of [{ response_format: 'ogg' }, { voice: undefined }, { input: '' }, { speed: 9 }]) {
      const body = { model: 'demo-tts', voice: 'alloy', input: 'Hi', ...wrong };
      assert.equal((await demo.post('/v1/audio/speech', body)).status, 400, JSON.stringify(wrong));
    }
  });

  test('transcription finds the text of its own speech again', async () => {
    const file = await toFile(wav, 'speech.wav');
    const answer = await demo.openai.audio.transcriptions.create({ model: 'demo-whisper', file });
    assert.equal(answer.text, SPOKEN);
  });

  test('transcription of anything else tells what was received', async () => {
    const bytes = Buffer.from('ID3 some other audio');
    const file = await toFile(bytes, 'a.mp3');
    const { text } = await demo.openai.audio.transcriptions.create({ model: 'demo-whisper', file });
    const sha256 = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
    assert.equal(text, `The demo provider heard a file. It has 20 bytes. Its SHA-256 begins with ${sha256}.`);
  });

  test('transcription answers in five formats', async () => {
    const file = await toFile(wav, 'speech.wav');
    const as = async (format: string): Promise<string> =>
      (
        await form('/v1/audio/transcriptions', { file, model: 'demo-whisper', response_format: format })
      ).text();
    assert.equal(await as('text'), `${SPOKEN}\n`);
    assert.match(
      await as('srt'),
      /^1\n00:00:00,000 --> 00:00:0\d,\d{3}\nHello there\.\n\n2\n00:00:0\d,\d{3} --> \S+\nThis is .*\n\n\n$/,
    );
    assert.match(
      await as('vtt'),
      /^WEBVTT\n\n00:00:00\.000 --> 00:00:0\d\.\d{3}\nHello there\.\n\n.*\n.*\n\n$/,
    );
    const json = JSON.parse(await as('json'));
    assert.deepEqual(Object.keys(json), ['text', 'usage']);
    assert.equal(JSON.parse(await as('verbose_json')).language, 'english');
    const response = await form('/v1/audio/transcriptions', {
      file,
      model: 'demo-whisper',
      response_format: 'xml',
    });
    assert.equal(response.status, 400);
  });

  test('transcription gives segments, and refuses word timestamps', async () => {
    const create = async (granularities: ('word' | 'segment')[]) =>
      demo.openai.audio.transcriptions.create({
        model: 'demo-whisper',
        file: await toFile(wav, 'speech.wav'),
        language: 'es',
        response_format: 'verbose_json',
        timestamp_granularities: granularities,
      });
    const transcript = await create(['segment']);
    assert.equal(transcript.language, 'spanish');
    assert.equal(transcript.segments?.length, 2);
    assert.equal(transcript.segments?.at(-1)?.end, transcript.duration);
    await assert.rejects(create(['word', 'segment']), { status: 400, param: 'timestamp_granularities' });
  });

  test('transcription streams from the model that streams alone', async () => {
    const file = await toFile(wav, 'speech.wav');
    const stream = await demo.openai.audio.transcriptions.create({
      model: 'demo-transcribe',
      file,
      stream: true,
    });
    const events = [];
    for await (const event of stream) events.push(event);
    const deltas = events.map((event) => (event.type === 'transcript.text.delta' ? event.delta : ''));
    assert.equal(deltas.join(''), SPOKEN);
    const last = events.at(-1);
    assert.ok(last?.type === 'transcript.text.done' && last.text === SPOKEN);
    const whisper = await form('/v1/audio/transcriptions', { file, model: 'demo-whisper', stream: 'true' });
    assert.equal(((await whisper.json()) as { text: string }).text, SPOKEN);
  });

  test('translation answers, and a form without file or model is refused', async () => {
    const file = await toFile(wav, 'speech.wav');
    const translated = await demo.openai.audio.translations.create({
      model: 'demo-whisper',
      file,
      response_format: 'verbose_json',
    });
    assert.deepEqual(Object.entries(translated).slice(0, 2), [
      ['task', 'translate'],
      ['language', 'english'],
    ]);
    assert.equal(translated.text, SPOKEN);
    for (const [fields, param] of [
      [{ model: 'demo-whisper' }, 'file'],
      [{ file }, 'model'],
      [{ model: 'demo-whisper', file: new Blob([]) }, 'file'],
    ] as const) {
      const response = await form('/v1/audio/translations', fields);
      const { error } = (await response.json()) as { error: { param: string } };
      assert.deepEqual([response.status, error.param], [400, param]);
    }
  });

  test('images are PNGs of the size asked for, the same for the same prompt', async () => {
    const [first, second] = await paint({ n: 2, size: '512x256' });
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual(readImage(first), { type: 'PNG', width: 512, height: 256 });
    assert.notDeepEqual(first, second);
    assert.deepEqual(await paint({ size: '512x256' }), [first]);
    assert.ok(first.length < 20_000);
    const byUrl = await demo.openai.images.generate({
      prompt: 'A cat',
      response_format: 'url',
      size: '256x256',
    });
    assert.match(byUrl.data?.[0]?.url ?? '', /^data:image\/png;base64,iVBOR/);
    for (const wrong of [{ size: '9x9' }, { size: '1024X1024' }, { n: 11 }, { prompt: undefined }]) {
      const body = { prompt: 'A cat', ...wrong };
      assert.equal((await demo.post('/v1/images/generations', body)).status, 400, JSON.stringify(wrong));
    }
  });

  test('vision names type and size, and fetches no URL', async () => {
    const [cat] = await paint({ prompt: 'A cat' });
    const url = `data:image/png;base64,${cat?.toString('base64')}`;
    const look = async (text: string, urls: string[], model = 'demo-vision') => {
      const images = urls.map((each) => ({ type: 'image_url' as const, image_url: { url: each } }));
      const content = [{ type: 'text' as const, text }, ...images];
      const answer = await demo.openai.chat.completions.create({
        model,
        messages: [{ role: 'user', content }],
      });
      return answer.choices[0]?.message.content ?? '';
    };
    const seen = await look('What is this?', [url, 'https://example.com/a.png']);
    assert.match(seen, /a PNG image, 256 × 256 pixels, [\d,]+ bytes/);
    assert.match(seen, /an image at example\.com, which I do not fetch/);
    const gif = `data:image/gif;base64,${Buffer.from('GIF89a\x05\x00\x07\x00', 'latin1').toString('base64')}`;
    assert.match(
      await look('', [gif], 'demo-ocr'),
      /^GIF image, 5 × 7 pixels, 10 bytes, SHA-256 [0-9a-f]{8}$/,
    );
  });
});
