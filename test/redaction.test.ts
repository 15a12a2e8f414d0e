import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { redactBytes, redactMembers, secretForms } from '../src/redaction.ts';

const SECRET = 'p&ss\' w"rd~1';

describe('redactMembers()', () => {
  test('redacts names and texts at every depth, and leaves out what is deeper', () => {
    const given = { [SECRET]: 1, list: [SECRET, { a: `x${SECRET}y` }], deep: { deeper: {} }, n: null };
    assert.deepEqual(redactMembers(given, [SECRET], 3), {
      '[redacted]': 1,
      list: ['[redacted]', { a: 'x[redacted]y' }],
      deep: { deeper: {} },
      n: null,
    });
    assert.deepEqual(redactMembers(given, [SECRET], 2), {
      '[redacted]': 1,
      list: ['[redacted]', null],
      deep: { deeper: null },
      n: null,
    });
  });
});

describe('redactBytes()', () => {
  test('finds a secret as text, in JSON, in a form and in a URL, and copies nothing else', () => {
    const secrets = secretForms(SECRET);
    const encoded = [
      SECRET,
      JSON.stringify(SECRET).slice(1, -1),
      new URLSearchParams({ k: SECRET }).toString().slice(2),
      encodeURIComponent(SECRET),
    ];
    for (const text of encoded) {
      assert.equal(redactBytes(Buffer.from(`<${text}>`), secrets).toString(), '<[redacted]>');
    }
    const clean = Buffer.from('nothing to hide');
    assert.equal(redactBytes(clean, secrets), clean);
  });

  test('takes out every spelling of any secret of 8 characters or more', () => {
    const secret = fc.string({
      unit: fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)),
    });
    fc.assert(
      fc.property(
        secret.filter((text) => text.length >= 8),
        (text) => {
          for (const form of [text, encodeURIComponent(text), JSON.stringify(text)]) {
            const shown = redactBytes(Buffer.from(form), secretForms(text)).toString();
            assert.ok(!shown.includes(text) || '[redacted]'.includes(text), shown);
          }
        },
      ),
    );
  });
});
