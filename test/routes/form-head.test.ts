import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { headModel } from '../../src/routes/v1/form-head.ts';
import { startWorkCounter, type WorkCounter } from '../public/count-work.ts';

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

describe('the work for the head of a form', { timeout: 60_000 }, () => {
  let counter: WorkCounter;
  before(async () => {
    counter = await startWorkCounter('/routes/v1/form-head.ts');
  });
  after(() => counter.stop());

  // A pattern that looks at all lines at once takes minutes for the last one, and the test hangs.
  for (const [name, text] of [
    ['lines', 'content-disposition:;name=model\r\n'.repeat(1_900)],
    ['blank lines', 'content-disposition:;name=model\r\n\r\n'.repeat(1_800)],
    ['one line', `${'content-disposition:;name=model;'.repeat(1_000)}\r\n${'x\r\n'.repeat(10_000)}`],
  ] as const) {
    test(`grows with its size alone: ${name}`, async () => {
      const half = text.slice(0, text.length / 2);
      const [small, large] = [
        await counter.count(() => modelIn(half)),
        await counter.count(() => modelIn(text)),
      ];
      assert.ok(large <= 2 * small + 50_000, `${small} steps, then ${large}`);
    });
  }
});
