import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseBaseUrl } from '../../src/providers/base-url.ts';
import { joinUrl } from '../../src/providers/join-url.ts';
import type { PathMode } from '../../src/store/entities.ts';

function join(base: string, tail = 'chat/completions', mode?: PathMode): string {
  const url = parseBaseUrl(base);
  assert.ok(url !== null, base);
  return joinUrl(url, tail, mode).href;
}

/** Base URLs as vendors document them and as people paste them into SDKs, with the resulting URL. */
const VENDORS: readonly (readonly [base: string, url: string])[] = [
  ['https://api.openai.com/v1', 'https://api.openai.com/v1/chat/completions'],
  ['https://openrouter.ai/api/v1', 'https://openrouter.ai/api/v1/chat/completions'],
  ['https://api.groq.com/openai/v1', 'https://api.groq.com/openai/v1/chat/completions'],
  ['https://api.mistral.ai/v1', 'https://api.mistral.ai/v1/chat/completions'],
  [
    'https://dashscope.aliyuncs.com/compatible-mode/v1',
    'https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions',
  ],
  ['https://api.fireworks.ai/inference/v1', 'https://api.fireworks.ai/inference/v1/chat/completions'],
  [
    'https://generativelanguage.googleapis.com/v1beta/openai/',
    'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions',
  ],
  ['https://api.deepinfra.com/v1/openai', 'https://api.deepinfra.com/v1/openai/chat/completions'],
  ['https://open.bigmodel.cn/api/paas/v4', 'https://open.bigmodel.cn/api/paas/v4/chat/completions'],
  ['https://api.z.ai/api/paas/v4', 'https://api.z.ai/api/paas/v4/chat/completions'],
  [
    'https://us-central1-aiplatform.googleapis.com/v1/projects/P/locations/L/endpoints/openapi',
    'https://us-central1-aiplatform.googleapis.com/v1/projects/P/locations/L/endpoints/openapi/chat/completions',
  ],
  ['https://qianfan.baidubce.com/v2', 'https://qianfan.baidubce.com/v2/chat/completions'],
  ['https://api.upstage.ai/v1/solar', 'https://api.upstage.ai/v1/solar/chat/completions'],
  ['https://llm.chutes.ai', 'https://llm.chutes.ai/v1/chat/completions'],
  ['https://api.deepseek.com', 'https://api.deepseek.com/v1/chat/completions'],
  ['https://api.together.xyz', 'https://api.together.xyz/v1/chat/completions'],
  ['https://api.moonshot.cn', 'https://api.moonshot.cn/v1/chat/completions'],
  ['https://api.sambanova.ai', 'https://api.sambanova.ai/v1/chat/completions'],
  ['http://localhost:11434', 'http://localhost:11434/v1/chat/completions'],
  ['https://openrouter.ai/api', 'https://openrouter.ai/api/v1/chat/completions'],
  ['https://api.groq.com/openai', 'https://api.groq.com/openai/v1/chat/completions'],
  ['https://me.openai.azure.com/openai', 'https://me.openai.azure.com/openai/v1/chat/completions'],
  ['https://api.perplexity.ai', 'https://api.perplexity.ai/chat/completions'],
  ['https://models.inference.ai.azure.com', 'https://models.inference.ai.azure.com/chat/completions'],
  ['https://models.github.ai/inference', 'https://models.github.ai/inference/chat/completions'],
  ['https://api.lepton.ai', 'https://api.lepton.ai/api/v1/chat/completions'],
  ['https://api.lepton.ai/api/v1', 'https://api.lepton.ai/api/v1/chat/completions'],
];

describe('joinUrl()', () => {
  for (const [base, url] of VENDORS) {
    test(`${base} becomes ${url} in every spelling`, () => {
      const bare = base.replace(/\/$/, '');
      for (const spelling of [
        base,
        bare,
        `${bare}/`,
        `${bare}//`,
        `  ${base}\n`,
        bare.replace('https://', ''),
        `${bare}/chat/completions`,
      ]) {
        if (spelling.startsWith('localhost')) continue;
        assert.equal(join(spelling), url, spelling);
      }
    });
  }

  test('adds https:// if the scheme is missing', () => {
    assert.equal(join('api.openai.com/v1'), 'https://api.openai.com/v1/chat/completions');
  });

  test('adds http:// for loopback addresses', () => {
    for (const host of ['localhost:11434', '127.0.0.1:1234', '[::1]:8000', 'LOCALHOST'])
      assert.equal(join(host), `http://${host.toLowerCase()}/v1/chat/completions`);
    for (const host of ['localhost.example', '127.0.0.1.example', '192.168.1.2:8000'])
      assert.equal(join(host), `https://${host}/v1/chat/completions`);
    assert.equal(join('https://localhost:8443'), 'https://localhost:8443/v1/chat/completions');
  });

  for (const suffix of [
    'chat/completions',
    'completions',
    'embeddings',
    'models',
    'responses',
    'messages',
    'moderations',
    'rerank',
    'images/generations',
    'images/edits',
    'audio/transcriptions',
    'audio/translations',
    'audio/speech',
  ]) {
    test(`removes a pasted /${suffix}`, () => {
      assert.equal(join(`https://h.example/v1/${suffix}`, 'models'), 'https://h.example/v1/models');
      assert.equal(join(`https://h.example/v1/${suffix}/`, 'models'), 'https://h.example/v1/models');
      assert.equal(join(`https://h.example/${suffix}`, 'models'), 'https://h.example/v1/models');
    });
  }

  test('removes only whole last segments', () => {
    assert.equal(join('https://h.example/v1/my-models', 'models'), 'https://h.example/v1/my-models/models');
    assert.equal(join('https://h.example/models/x', 'models'), 'https://h.example/models/x/models');
  });

  for (const [segment, isVersion] of [
    ['v1', true],
    ['v4', true],
    ['v12', true],
    ['v1beta', true],
    ['v1beta2', true],
    ['v3alpha', true],
    ['v', false],
    ['vx', false],
    ['v1-beta', false],
    ['version1', false],
    ['xv1', false],
    ['V1', false],
    ['v1.2', false],
  ] as const) {
    test(`${segment} ${isVersion ? 'is' : 'is not'} a version; other paths are kept`, () => {
      assert.equal(join(`https://h.example/${segment}`), `https://h.example/${segment}/chat/completions`);
    });
  }

  test('keeps the query', () => {
    assert.equal(
      join('https://me.openai.azure.com/openai/deployments/gpt?api-version=2024-10-21'),
      'https://me.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21',
    );
    assert.equal(
      join('https://h.example/v1/chat/completions?a=b%20c&d=/v2/', 'embeddings'),
      'https://h.example/v1/embeddings?a=b%20c&d=/v2/',
    );
  });

  test('obeys the path mode', () => {
    for (const [mode, base, url] of [
      ['exact', 'https://h.example', 'https://h.example/chat/completions'],
      ['exact', 'https://h.example/x/', 'https://h.example/x/chat/completions'],
      ['append-v1', 'https://h.example', 'https://h.example/v1/chat/completions'],
      ['append-v1', 'https://h.example/v3', 'https://h.example/v3/v1/chat/completions'],
      ['append-v1', 'https://api.perplexity.ai', 'https://api.perplexity.ai/v1/chat/completions'],
      ['exact', 'https://api.lepton.ai', 'https://api.lepton.ai/chat/completions'],
      ['auto', 'https://h.example', 'https://h.example/v1/chat/completions'],
    ] as const) {
      assert.equal(join(base, 'chat/completions', mode), url);
    }
  });

  test('recognises vendors by their whole host', () => {
    assert.equal(
      join('https://api.perplexity.ai.evil.example'),
      'https://api.perplexity.ai.evil.example/v1/chat/completions',
    );
    assert.equal(
      join('https://openai.azure.com.evil.example/openai'),
      'https://openai.azure.com.evil.example/openai/chat/completions',
    );
    assert.equal(join('https://API.Perplexity.AI'), 'https://api.perplexity.ai/chat/completions');
  });

  test('never leaves the origin of the base', () => {
    const segment = fc.stringMatching(/^[\w.~%@:;=,+-]{0,8}$/);
    fc.assert(
      fc.property(
        fc.array(segment, { maxLength: 5 }),
        fc.constantFrom<PathMode>('auto', 'append-v1', 'exact'),
        (segments, mode) => {
          const base = parseBaseUrl(`https://h.example:8443/${segments.join('/')}`);
          if (base === null) return;
          const url = joinUrl(base, 'models', mode);
          assert.equal(url.origin, 'https://h.example:8443');
          assert.match(url.pathname, /\/models$/);
        },
      ),
    );
  });
});

describe('parseBaseUrl()', () => {
  for (const text of [
    '',
    ' ',
    '//h.example',
    'https://',
    'http:///',
    'https://user@h.example',
    'https://user:pass@h.example',
    'https://:pass@h.example',
    'https://h.example#x',
    'ftp://h.example',
    'file:///etc/passwd',
    'javascript://h.example/%0aalert(1)',
    'data://x',
    'ws://h.example',
    'https://h example',
    'https://h.example/a b',
    'https://h.example\\@evil.example',
    'https://[::1',
    'https://h.example:99999',
    'https://h.example:port',
    'unix:///run/x.sock',
    'https://ex%00ample',
    'https://a\tb',
  ]) {
    test(`refuses ${JSON.stringify(text)}`, () => {
      assert.equal(parseBaseUrl(text), null);
    });
  }

  test('reads the host exactly as URL parsers do', () => {
    assert.equal(parseBaseUrl('HTTPS://H.Example/V1')?.href, 'https://h.example/V1');
    assert.equal(parseBaseUrl('http://0x7f.1:80/x')?.hostname, '127.0.0.1');
  });
});
