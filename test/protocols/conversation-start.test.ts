import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { conversationDigest } from '../../src/protocols/conversation-start.ts';

const SYSTEM = { role: 'system', content: 'Be brief.' };
const HELLO = { role: 'user', content: 'Hello' };

function digestOf(body: unknown, salt = 'key m'): Promise<string | null> {
  return conversationDigest(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), salt);
}

describe('the digest of a conversation', () => {
  const first = { messages: [SYSTEM, HELLO] };

  it('stays while the conversation grows, whatever else the body says', async () => {
    const digest = await digestOf(first);
    assert.ok(digest !== null);
    const later = {
      temperature: 1,
      messages: [SYSTEM, HELLO, { role: 'assistant', content: 'Hi' }, { role: 'user', content: 'More' }],
    };
    assert.equal(await digestOf(later), digest);
    assert.equal(
      await digestOf(
        '{"messages":[{"content":"Be brief.","role":"system"},{"content":"Hello","role":"user"}]}',
      ),
      digest,
    );
  });

  const others: readonly (readonly [string, unknown])[] = [
    ['another first user message', { messages: [SYSTEM, { role: 'user', content: 'Bye' }] }],
    ['another system text', { messages: [{ ...SYSTEM, content: 'Be long.' }, HELLO] }],
    ['no system text', { messages: [HELLO] }],
    [
      'parts instead of a text',
      { messages: [SYSTEM, { role: 'user', content: [{ type: 'text', text: 'Hello' }] }] },
    ],
  ];
  for (const [what, body] of others) {
    it(`${what}: another conversation`, async () => {
      assert.notEqual(await digestOf(body), await digestOf(first));
    });
  }

  it('another caller or model: another conversation', async () => {
    assert.notEqual(await digestOf(first, 'other m'), await digestOf(first));
  });

  it('knows the other protocols', async () => {
    const bodies = [
      { instructions: 'Be brief.', input: 'Hello' },
      { instructions: 'Be brief.', input: [HELLO] },
      { system: 'Be brief.', messages: [HELLO] },
      { prompt: 'Hello' },
      { messages: [{ role: 'developer', content: 'Be brief.' }, HELLO] },
    ];
    const digests = await Promise.all(bodies.map((body) => digestOf(body)));
    assert.ok(digests.every((digest) => digest !== null));
    // All but the prompt begin with the same bytes.
    assert.equal(new Set(digests).size, 2);
  });

  it('what is no conversation has none', async () => {
    for (const body of [
      {},
      { messages: [] },
      { messages: [{ role: 'assistant', content: 'Hi' }] },
      { query: 'x' },
    ]) {
      assert.equal(await digestOf(body), null);
    }
  });

  it('of megabytes, the start and the length count', async () => {
    const long = (end: string) => ({ messages: [{ role: 'user', content: 'x'.repeat(3_000_000) + end }] });
    assert.equal(await digestOf(long('a')), await digestOf(long('b')));
    assert.notEqual(await digestOf(long('a')), await digestOf(long('ab')));
  });

  it('ten thousand messages take no longer than their scan', async () => {
    const messages = Array.from({ length: 10_000 }, (_, index) => ({
      role: index < 9_999 ? 'assistant' : 'user',
      content: 'x',
    }));
    assert.ok((await digestOf({ messages })) !== null);
  });
});
