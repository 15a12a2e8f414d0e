import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { checkAudioFile } from '../../src/protocols/audio-file.ts';
import { TranscriptionFields, type TranscriptionForm } from '../../src/protocols/transcription-form.ts';

function isInvalid(param: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof HttpError && error.error.code === 'invalid_value' && error.error.param === param;
}

function parseTranscriptionForm(fields: readonly [string, string][]): TranscriptionForm {
  const reading = new TranscriptionFields('transcribe');
  for (const [name, text] of fields) reading.take(name, text);
  reading.finish();
  return reading.form;
}

describe('TranscriptionFields', () => {
  const nothing = {
    responseFormat: 'json',
    language: null,
    prompt: null,
    temperature: null,
    granularities: new Set(),
    stream: false,
  };
  const accepted: [[string, string][], object][] = [
    [[], {}],
    [
      [
        ['response_format', ''],
        ['language', ' '],
        ['temperature', ''],
      ],
      {},
    ],
    [
      [
        ['response_format', 'vtt'],
        ['language', 'en'],
        ['prompt', 'Hi'],
        ['temperature', '0.2'],
      ],
      { responseFormat: 'vtt', language: 'en', prompt: 'Hi', temperature: 0.2 },
    ],
    [
      [
        ['temperature', '0'],
        ['stream', 'True'],
      ],
      { temperature: 0, stream: true },
    ],
    [
      [
        ['temperature', '1.0'],
        ['response_format', 'diarized_json'],
      ],
      { temperature: 1, responseFormat: 'diarized_json' },
    ],
    [
      [
        ['language', 'English'],
        ['unknown', 'x'],
        ['unknown', 'y'],
      ],
      { language: 'English' },
    ],
    [
      [
        ['timestamp_granularities[]', 'word'],
        ['timestamp_granularities[]', 'segment'],
        ['response_format', 'verbose_json'],
      ],
      { responseFormat: 'verbose_json', granularities: new Set(['word', 'segment']) },
    ],
    [
      [
        ['response_format', 'verbose_json'],
        ['timestamp_granularities', 'segment'],
      ],
      { responseFormat: 'verbose_json', granularities: new Set(['segment']) },
    ],
    [
      [
        ['response_format', 'verbose_json'],
        ['timestamp_granularities[0]', '["word"]'],
      ],
      { responseFormat: 'verbose_json', granularities: new Set(['word']) },
    ],
  ];
  for (const [fields, form] of accepted) {
    it(`reads ${JSON.stringify(fields)}`, () =>
      assert.deepEqual(parseTranscriptionForm(fields), { ...nothing, ...form }));
  }

  const refused: [[string, string][], string][] = [
    [[['response_format', 'xml']], 'response_format'],
    [[['response_format', 'JSON']], 'response_format'],
    [[['response_format', 'toString']], 'response_format'],
    [
      [
        ['response_format', 'json'],
        ['response_format', 'text'],
      ],
      'response_format',
    ],
    [[['temperature', '1.01']], 'temperature'],
    [[['temperature', '-0.1']], 'temperature'],
    [[['temperature', 'warm']], 'temperature'],
    [[['temperature', '0x1']], 'temperature'],
    [[['temperature', 'NaN']], 'temperature'],
    [[['language', 'e']], 'language'],
    [[['language', '../x']], 'language'],
    [
      [
        ['language', 'en'],
        ['language', 'de'],
      ],
      'language',
    ],
    [[['timestamp_granularities', 'word']], 'timestamp_granularities'],
    [
      [
        ['timestamp_granularities', 'letter'],
        ['response_format', 'verbose_json'],
      ],
      'timestamp_granularities',
    ],
    [
      [
        ['timestamp_granularities', '["word",1]'],
        ['response_format', 'verbose_json'],
      ],
      'timestamp_granularities',
    ],
    [
      [
        ['timestamp_granularities', '[word'],
        ['response_format', 'verbose_json'],
      ],
      'timestamp_granularities',
    ],
  ];
  for (const [fields, param] of refused) {
    it(`refuses ${JSON.stringify(fields)}`, () =>
      assert.throws(() => parseTranscriptionForm(fields), isInvalid(param)));
  }
});

describe('TranscriptionFields', () => {
  it('B3: refuses a value over its size limit without parsing it', () => {
    for (const [name, value] of [
      ['language', 'aa-'.repeat(300_000)],
      ['timestamp_granularities', `["word"${',"word"'.repeat(125_000)}]`],
      ['timestamp_granularities[]', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
      ['response_format', `json${' '.repeat(100)}`],
      ['temperature', `0.${'0'.repeat(1_000_000)}`],
      ['stream', 'x'.repeat(1_000_000)],
    ] as const) {
      const param = name.replace('[]', '');
      assert.throws(() => new TranscriptionFields('transcribe').take(name, value), isInvalid(param));
    }
    new TranscriptionFields('transcribe').take('prompt', 'x'.repeat(1_000_000));
  });

  it('B3: does not convert nested lists to text', () => {
    for (const value of ['[["word"]]', '[{}]', `${'['.repeat(100)}${']'.repeat(100)}`]) {
      const isWrong = isInvalid('timestamp_granularities');
      assert.throws(
        () => new TranscriptionFields('transcribe').take('timestamp_granularities', value),
        isWrong,
      );
    }
  });
});

describe('checkAudioFile()', () => {
  const none = Buffer.alloc(0);
  const text = Buffer.from('hello world!');
  const accepted: [string, string | null, string | null, Buffer][] = [
    ...['mp3', 'mp4', 'mpeg', 'mpga', 'm4a', 'wav', 'webm', 'flac', 'ogg', 'MP3'].map(
      (extension): [string, string, null, Buffer] => [`.${extension}`, `a.b.${extension}`, null, text],
    ),
    ['a content type', 'blob', 'audio/webm;codecs=opus', none],
    ['a content type with another name', 'a.bin', 'audio/mpeg', text],
    ['nothing known', null, null, text],
    ['nothing but octet-stream', '', 'application/octet-stream', none],
    ['MP3 with tags', 'a.bin', null, Buffer.from('ID3\x04')],
    ['MP3 frames', 'a.xyz', 'text/plain', Buffer.from([0xff, 0xfb, 0x90, 0x00])],
    ['MP4', 'a.bin', null, Buffer.from('\0\0\0\x20ftypM4A ')],
    ['WAV', 'a.bin', null, Buffer.from('RIFF\x10\0\0\0WAVE')],
    ['WebM', 'a.bin', null, Buffer.from([0x1a, 0x45, 0xdf, 0xa3])],
    ['FLAC', 'a.bin', null, Buffer.from('fLaC')],
    ['Ogg', 'a.bin', null, Buffer.from('OggS')],
    ['MPEG', 'a.bin', null, Buffer.from([0, 0, 1, 0xba])],
  ];
  for (const [what, filename, contentType, head] of accepted) {
    it(`accepts ${what}`, () => checkAudioFile({ filename, contentType, head }));
  }
  const refused: [string, string | null, string | null, Buffer][] = [
    ['a text file', 'a.txt', 'text/plain', text],
    ['a text file without a type', 'a.txt', null, text],
    ['a picture', 'a.png', 'image/png', Buffer.from('\x89PNG')],
    ['a type that is no audio', 'a', 'image/png', none],
    ['a RIFF that is no WAV', 'a.webp', null, Buffer.from('RIFF\x10\0\0\0WEBP')],
    ['UTF-16', 'a.txt', null, Buffer.from([0xff, 0xfe, 0x41, 0x00])],
  ];
  for (const [what, filename, contentType, head] of refused) {
    it(`refuses ${what}`, () =>
      assert.throws(() => checkAudioFile({ filename, contentType, head }), isInvalid('file')));
  }
});
