import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { headModel } from '../../src/routes/v1/form-head.ts';

const FORM = 'multipart/form-data; boundary=x';

function modelIn(text: string, contentType = FORM): string | null {
  return headModel(Buffer.from(text), contentType);
}

function field(name: string, value: string, more = ''): string {
  return `--x\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
}

describe('the model at the head of a form', () => {
  for (const [text, model] of [
    [`${field('model', 'm')}--x--\r\n`, 'm'],
    [`${field('a', 'b')}${field('model', 'm')}--x--\r\n`, 'm'],
    [
      '--x\r\ncontent-disposition: form-data;name=model\r\ncontent-type: text/plain\r\n\r\nm\r\n--x--\r\n',
      'm',
    ],
    [
      '--x\r\ncontent-type: text/plain\r\ncontent-disposition: form-data; name="model" \r\n\r\nm\r\n--x--',
      'm',
    ],
    [`${field('model', '')}--x--\r\n`, null],
    [`${field('a', 'name="model"')}--x--\r\n`, null],
    [`${field('file', 'x', '; filename="a"')}${field('model', 'm')}--x--\r\n`, null],
    ['--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nm', null],
    ['', null],
  ] as const) {
    test(JSON.stringify(text).slice(0, 90), () => assert.equal(modelIn(text), model));
  }

  test('only of a form', () => assert.equal(modelIn(`${field('model', 'm')}--x--`, 'text/plain'), null));
});
