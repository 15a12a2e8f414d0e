import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type Config, ConfigError, ENV_NAMES, type Environment, loadConfig } from '../src/config.ts';

test('README’s table has exactly the variables that people set', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const cells = [...readme.matchAll(/^\| (`[A-Z][A-Z0-9_]*`[^|]*) \|/gm)].map((match) => match[1] ?? '');
  const names = cells.flatMap((cell) => cell.match(/[A-Z][A-Z0-9_]+/g) ?? []);
  assert.deepEqual(names.sort(), [...ENV_NAMES].sort());
});

describe('loadConfig()', () => {
  const KEY = 'k'.repeat(16);
  const read: readonly (readonly [Environment, Partial<Config>])[] = [
    [{ PORT: ' 0 ' }, { port: 0 }],
    [{ PORT: '' }, { port: 3000 }],
    [{ MAX_BODY_MB: '1' }, { maxBodyBytes: 1024 * 1024 }],
    [{ BLOCK_PRIVATE_UPSTREAMS: 'TRUE' }, { blockPrivateUpstreams: true }],
    [{ BLOCK_PRIVATE_UPSTREAMS: '0' }, { blockPrivateUpstreams: false }],
    [
      { CORS_ORIGINS: 'https://A.example/, http://b.example:8080' },
      { corsOrigins: ['https://a.example', 'http://b.example:8080'] },
    ],
    [{ CORS_ORIGINS: 'https://a.example, *' }, { corsOrigins: '*' }],
    [{ LOG_LEVEL: 'Debug' }, { logLevel: 'debug' }],
    [
      { RENDER: 'true', RENDER_EXTERNAL_URL: 'https://a.example' },
      { onRender: true, keepAliveUrl: 'https://a.example' },
    ],
    [{ KEEP_ALIVE_URL: '', RENDER_EXTERNAL_URL: 'https://a.example' }, { keepAliveUrl: null }],
    [
      { SNAPSHOT_URL: 's3://bucket/key', SNAPSHOT_KEY: KEY },
      { snapshot: { url: 's3://bucket/key', key: KEY, token: null } },
    ],
    [{ SNAPSHOT_KEY: 'short' }, { snapshot: null }],
    [
      { UPSTREAM_IDLE_TIMEOUT_MS: '1' },
      { upstreamTimeouts: { connectTimeoutMs: 10_000, headersTimeoutMs: 300_000, idleTimeoutMs: 1 } },
    ],
    [{}, { upstreamRetries: 2, sseKeepAliveMs: 15_000, earlyStreamMs: 0 }],
    [
      { UPSTREAM_RETRIES: '0', SSE_KEEPALIVE_MS: '0', EARLY_STREAM_MS: '20000' },
      { upstreamRetries: 0, sseKeepAliveMs: 0, earlyStreamMs: 20_000 },
    ],
  ];
  for (const [env, expected] of read) {
    test(`reads ${JSON.stringify(env)}`, () => {
      const config = loadConfig(env);
      assert.deepEqual({ ...config, ...expected }, config);
      assert.ok(Object.isFrozen(config));
    });
  }

  const refused: readonly (readonly [Environment, RegExp])[] = [
    [{ PORT: '65536' }, /^PORT must be a whole number from 0 to 65535\.$/],
    [{ PORT: '1e3' }, /^PORT must/],
    [{ MASTER_API_KEY: 'sk-ä' }, /^MASTER_API_KEY must be 1 to 256 printable ASCII/],
    [{ ENCRYPTION_KEY: 'x'.repeat(15) }, /^ENCRYPTION_KEY must have at least 16 characters\.$/],
    [{ BLOCK_PRIVATE_UPSTREAMS: 'yes' }, /^BLOCK_PRIVATE_UPSTREAMS must be true, false, 1 or 0\.$/],
    [{ CORS_ORIGINS: 'https://a.example/path' }, /^CORS_ORIGINS must be \* or/],
    [{ UPSTREAM_RETRIES: '6' }, /^UPSTREAM_RETRIES must be a whole number from 0 to 5\.$/],
    [{ SSE_KEEPALIVE_MS: '-1' }, /^SSE_KEEPALIVE_MS must be a whole number from 0 to 86400000\.$/],
    [{ EARLY_STREAM_MS: '1.5' }, /^EARLY_STREAM_MS must/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL must be one of debug, info/],
    [{ KEEP_ALIVE_URL: 'ftp://a.example' }, /^KEEP_ALIVE_URL must be an http/],
    [{ SNAPSHOT_URL: 'https://a.example/x' }, /^SNAPSHOT_KEY is required/],
    [{ SNAPSHOT_URL: 'http://a.example/x', SNAPSHOT_KEY: KEY }, /^SNAPSHOT_URL must be https/],
  ];
  for (const [env, line] of refused) {
    test(`refuses ${JSON.stringify(env)}`, () => assert.match(problemsOf(env).join('\n'), line));
  }

  test('names every bad variable at once, and shows no value', () => {
    const env = { PORT: 'secret', ENCRYPTION_KEY: 'secret', SNAPSHOT_URL: 'secret', SNAPSHOT_KEY: 'secret' };
    const lines = problemsOf(env);
    assert.deepEqual(lines.map((line) => line.split(' ', 1)[0]).sort(), Object.keys(env).sort());
    assert.ok(!lines.join().includes('secret'));
  });
});

function problemsOf(env: Environment): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.lines;
  }
  return [];
}
