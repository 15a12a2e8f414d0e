import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compilePatterns } from '../../src/json/patterns.ts';
import { scanJson } from '../../src/json/scan.ts';
import { JsonScanError } from '../../src/json/tokens.ts';
import { type JsonTree, jsonText, jsonTree, mutated } from '../helpers/json-text.ts';

const LONG = process.env['IPIN_LONG'] === '1';
const runs = (count: number): { numRuns: number } => ({ numRuns: LONG ? count * 50 : count });

const WANTED = [
  'model',
  'stream',
  'stream_options.include_usage',
  'messages',
  'messages.*.content',
  'messages.*.content.*.image_url',
  'messages.*.content.*.image_url.url',
  'input.*.*',
];
const NAMES = [
  ...[
    'model',
    'stream',
    'stream_options',
    'include_usage',
    'messages',
    'content',
    'image_url',
    'url',
    'input',
  ],
  ...['Model', 'MODEL', 'ſtream', 'mode', 'models', 'messageſ', 'Content', '', '*'],
];
const patterns = compilePatterns(WANTED);

/** What `scanJson` must say of a body: accepted or refused. */
function isJson(body: Buffer): boolean {
  if (!isUtf8(body)) return false;
  try {
    JSON.parse(body.toString());
    return true;
  } catch {
    return false;
  }
}

function isAccepted(body: Buffer): boolean {
  try {
    scanJson(body, patterns);
    return true;
  } catch (error) {
    assert.ok(error instanceof JsonScanError && error.reason === 'invalid_json');
    assert.ok(error.offset >= 0 && error.offset <= body.length);
    return false;
  }
}

/** All values in a tree that a path leads to, repeated names included. */
function valuesAt(tree: JsonTree, steps: readonly string[]): JsonTree[] {
  const [step, ...rest] = steps;
  if (step === undefined) return [tree];
  if (tree.type === 'array') return step === '*' ? tree.items.flatMap((item) => valuesAt(item, rest)) : [];
  if (tree.type === 'raw' || step === '*') return [];
  return tree.members.flatMap((member) => (member.name === step ? valuesAt(member.value, rest) : []));
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll('ſ', 's');
}

/** Whether some step of a path has a name twice in one object, or at the top level also in other letter case. */
function isAmbiguous(tree: JsonTree, steps: readonly string[]): boolean {
  return steps.some((step, depth) => {
    const objects = valuesAt(tree, steps.slice(0, depth));
    return objects.some((object) => {
      if (step === '*' || object.type !== 'object') return false;
      const isSame = (name: string) => (depth === 0 ? fold(name) === fold(step) : name === step);
      return object.members.filter((member) => isSame(member.name)).length > 1;
    });
  });
}

/** Texts are compared, because `JSON.parse` of Node 24.21 mixes up escaped and repeated names. */
function written(tree: JsonTree): string {
  if (tree.type === 'raw') return tree.text;
  if (tree.type === 'array') return `[${tree.items.map(written).join(',')}]`;
  return `{${tree.members.map(({ rawName, value }) => `${rawName}:${written(value)}`).join(',')}}`;
}

function withoutSpace(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');
}

describe('scanJson against JSON.parse', () => {
  it('accepts generated texts', () => {
    fc.assert(
      fc.property(jsonText(jsonTree(NAMES)), ({ body }) => {
        assert.equal(isJson(body), true);
        assert.equal(isAccepted(body), true);
      }),
      runs(200),
    );
  });

  it('agrees on texts with a few bytes changed', () => {
    const bodies = mutated(jsonText(jsonTree(NAMES)).map(({ body }) => body));
    fc.assert(
      fc.property(bodies, (body) => assert.equal(isAccepted(body), isJson(body))),
      runs(1500),
    );
  });

  it('agrees on short texts of JSON characters', () => {
    const text = fc.string({ unit: fc.constantFrom(...'{}[]:,"\\u0019-+.eEnul \n\u00e9'), maxLength: 9 });
    fc.assert(
      fc.property(text, (short) => assert.equal(isAccepted(Buffer.from(short)), isJson(Buffer.from(short)))),
      runs(3000),
    );
  });

  it('finds every value that a pattern leads to, in order, with its exact bytes', () => {
    fc.assert(
      fc.property(jsonText(jsonTree(NAMES)), ({ tree, body }) => {
        const found = scanJson(body, patterns);
        for (const pattern of WANTED) {
          const matches = found.matches.filter((match) => match.pattern === pattern);
          const texts = matches.map(({ start, end }) => body.toString('utf8', start, end));
          assert.deepEqual(texts.map(withoutSpace), valuesAt(tree, pattern.split('.')).map(written));
          assert.ok(texts.every((text) => text === text.trim()));
        }
        const starts = found.matches.map(({ start }) => start);
        assert.deepEqual(
          starts,
          starts.toSorted((a, b) => a - b),
        );
      }),
      runs(600),
    );
  });

  it('reports exactly the ambiguous patterns', () => {
    fc.assert(
      fc.property(jsonText(jsonTree(NAMES)), ({ tree, body }) => {
        const expected = WANTED.filter((pattern) => isAmbiguous(tree, pattern.split('.')));
        assert.deepEqual(scanJson(body, patterns).ambiguous.toSorted(), expected.toSorted());
      }),
      runs(600),
    );
  });

  it('finds any byte that matters in a long string, however the buffer lies in memory', () => {
    const memory = Buffer.alloc(256, 0x7a);
    for (let offset = 0; offset < 8; offset++) {
      for (let at = 1; at < 100; at++) {
        for (const byte of [0x00, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7f]) {
          const body = memory.subarray(offset, offset + 102 + (at % 4));
          body.fill(0x61);
          body[0] = 0x22;
          body[body.length - 1] = 0x22;
          body[at] = byte;
          assert.equal(isAccepted(body), isJson(body), `byte ${byte} at ${at}, offset ${offset}`);
        }
      }
    }
  });
});
