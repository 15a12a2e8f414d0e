import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HttpError } from '../../src/errors.ts';
import { DataUrlGatherer } from '../../src/protocols/data-url.ts';
import { type OcrRequest, ocrChatBody, readOcrText } from '../../src/protocols/ocr.ts';
import type { ModelOptions } from '../../src/store/entities.ts';

describe('ocrChatBody()', () => {
  const urlOf = (chunks: readonly Buffer[]): readonly Buffer[] => {
    const url = new DataUrlGatherer('image/png');
    for (const chunk of chunks) url.add(chunk);
    return url.pieces();
  };
  const imageUrl = urlOf([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')]);
  const bodyOf = (request: OcrRequest, options: ModelOptions = {}) =>
    JSON.parse(Buffer.concat(ocrChatBody(request, options)).toString());

  it('puts the image first, then the prompt', () => {
    assert.deepEqual(bodyOf({ model: 'rednote-hilab/dots.ocr', imageUrl, prompt: 'Read "this"\n' }), {
      model: 'rednote-hilab/dots.ocr',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
            { type: 'text', text: 'Read "this"\n' },
          ],
        },
      ],
      max_tokens: 8192,
      temperature: 0.1,
      top_p: 0.9,
    });
  });

  it('has a default prompt, and passes a URL on unchanged', () => {
    const json = [Buffer.from('https:\\/\\/e.com'), Buffer.from('/a')];
    const body = bodyOf({ model: 'm"', imageUrl: json, prompt: null });
    const [picture, text] = body.messages[0].content;
    assert.deepEqual(picture.image_url, { url: 'https://e.com/a' });
    assert.match(text.text, /text/);
    assert.equal(body.model, 'm"');
  });

  it('encodes a large image while it arrives, in chunks of any size', () => {
    const bytes = Buffer.from(Array.from({ length: 1_000_001 }, (_, index) => index & 255));
    for (const size of [1_000_001, 65_536, 7, 1]) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      const body = bodyOf({ model: 'm', imageUrl: urlOf(chunks), prompt: null });
      const url = `data:image/png;base64,${bytes.toString('base64')}`;
      assert.ok(body.messages[0].content[0].image_url.url === url, String(size));
    }
  });

  it('sends only the sampling options that a model accepts', () => {
    const settings = (model: string): object => {
      const { messages: _messages, model: _model, ...rest } = bodyOf({ model, imageUrl, prompt: null });
      return rest;
    };
    for (const model of ['gpt-5-mini', 'openai/o3', 'o4-mini'])
      assert.deepEqual(settings(model), { max_completion_tokens: 8192 });
    assert.deepEqual(settings('claude-sonnet-4-5'), { max_tokens: 8192, temperature: 0.1 });
    for (const model of ['gpt-4o', 'gemini-2.5-pro', 'foo1', 'olmOCR']) {
      assert.deepEqual(settings(model), { max_tokens: 8192, temperature: 0.1, top_p: 0.9 });
    }
  });
});

describe('readOcrText()', () => {
  const chat = (content: unknown): unknown => ({
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  });
  const layout = [
    { bbox: [0, 0, 1, 1], category: 'Title', text: '# Title ' },
    { bbox: [0, 1, 1, 2], category: 'Picture' },
    { bbox: [0, 2, 1, 3], category: 'Text', text: 'Line 1\nLine 2' },
  ];
  const layoutText = '# Title\n\nLine 1\nLine 2';
  const cases: [string, unknown, string][] = [
    ['a text', chat(' Hello\nworld \n'), 'Hello\nworld'],
    ['an empty text', chat(''), ''],
    ['no content', chat(null), ''],
    [
      'parts',
      chat([{ type: 'text', text: 'Hello ' }, { type: 'other' }, { type: 'text', text: 'world' }]),
      'Hello world',
    ],
    ['a fence', chat('```markdown\n# A\n\nb\n```'), '# A\n\nb'],
    ['a longer fence', chat('````\n```\ncode\n```\n````\n'), '```\ncode\n```'],
    ['a fence that was cut off', chat('```text\nHello'), 'Hello'],
    ['an empty fence', chat('```\n```'), ''],
    ['a fence within', chat('Run:\n```\nls\n```'), 'Run:\n```\nls\n```'],
    ['text behind a fence', chat('```\nls\n```\nDone.'), '```\nls\n```\nDone.'],
    ['a layout', chat(JSON.stringify(layout)), layoutText],
    ['a fenced layout', chat(`\`\`\`json\n${JSON.stringify(layout, null, 2)}\n\`\`\``), layoutText],
    [
      'a layout that was cut off',
      chat(`${JSON.stringify(layout).slice(0, -1)},{"bbox":[1,2,3,4],"category":"Te`),
      layoutText,
    ],
    ['a layout of pictures', chat('[{"bbox":[0,0,1,1],"category":"Picture"}]'), ''],
    ['one item', chat('{"bbox":[0,0,1,1],"category":"Text","text":"a"}'), 'a'],
    ['an object with a text', chat('{"text":"a"}'), 'a'],
    ['pages within the text', chat('{"pages":[{"text":"a"},{"markdown":"b"}]}'), 'a\n\nb'],
    ['a document that looks like JSON', chat('[1, 2]'), '[1, 2]'],
    ['a document that is JSON', chat('{"name":"x"}'), '{"name":"x"}'],
    ['a document in brackets', chat('[Logo] Hello'), '[Logo] Hello'],
    ['an empty list', chat('[]'), '[]'],
    ['a completion', { choices: [{ text: 'a' }] }, 'a'],
    ['text', { text: 'a' }, 'a'],
    ['markdown', { markdown: '# a' }, '# a'],
    ['content', { content: 'a' }, 'a'],
    ['result', { result: { text: 'a' } }, 'a'],
    ['pages', { pages: [{ text: 'a' }, 'b', { markdown: 'c' }, { text: '' }] }, 'a\n\nb\n\nc'],
    ['a layout without a chat', layout, '# Title \n\nLine 1\nLine 2'],
    ['a string', 'a', 'a'],
  ];
  for (const [what, answer, text] of cases) {
    it(`reads ${what}`, () => assert.equal(readOcrText(Buffer.from(JSON.stringify(answer))), text));
  }

  const refused: [string, string][] = [
    ['an error', '{"error":{"message":"boom"}}'],
    ['a detail', '{"detail":"boom"}'],
    ['no choices', '{"choices":[]}'],
    ['a choice without a message', '{"choices":[{}]}'],
    ['content of another kind', '{"choices":[{"message":{"content":7}}]}'],
    ['a page', '<html>'],
    ['nothing', ''],
    ['null', 'null'],
    ['numbers', '[1,2]'],
    ['depth', `${'{"result":'.repeat(500)}"x"${'}'.repeat(500)}`],
  ];
  for (const [what, answer] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => readOcrText(Buffer.from(answer)),
        (error) => error instanceof HttpError && error.error.code === 'upstream_invalid_response',
      );
    });
  }
});
