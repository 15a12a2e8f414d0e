import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownText } from '../src/shown-text.ts';

test('B5: a text from outside is cut, then its hidden characters are escaped', () => {
  assert.equal(shownText('gpt-4o'), 'gpt-4o');
  assert.equal(shownText('é漢\u{1f600}'), 'é漢\u{1f600}');
  assert.equal(shownText('x'.repeat(200)), 'x'.repeat(200));
  assert.equal(shownText('x'.repeat(201)), `${'x'.repeat(199)}…`);
  assert.equal(shownText('a\nb\u202ec'), 'a\\u000ab\\u202ec');
  assert.equal(shownText('\u{e0041}'), '\\udb40\\udc41');
  assert.equal(shownText('abcdef', 3), 'ab…');
  assert.ok(shownText('\u202e'.repeat(1_000_000)).length <= 1200);
});
