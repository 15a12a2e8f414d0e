import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type RunningDemo, startDemo } from './start-demo.ts';

type Embeddings = {
  data: { index: number; embedding: number[] | string }[];
  usage: { prompt_tokens: number };
};

describe('embeddings of the demo provider', () => {
  let demo: RunningDemo;
  before(async () => {
    demo = await startDemo();
  });
  after(() => demo.stop());

  const embed = async (body: object): Promise<Embeddings> => {
    const response = await demo.post('/v1/embeddings', { model: 'demo-embed', ...body });
    assert.equal(response.status, 200);
    return (await response.json()) as Embeddings;
  };

  test('embeddings are the same through the base64 that the SDK asks for and through floats', async () => {
    const input = ['The first text', 'And a second one'];
    const bySdk = await demo.openai.embeddings.create({ model: 'demo-embed', input });
    const asFloats = await embed({ input, encoding_format: 'float' });
    const asBase64 = await embed({ input, encoding_format: 'base64' });
    assert.deepEqual(
      bySdk.data.map((row) => row.embedding),
      asFloats.data.map((row) => row.embedding),
    );
    assert.equal(typeof asBase64.data[0]?.embedding, 'string');
    assert.equal(bySdk.data[0]?.embedding.length, 256);
    assert.equal(bySdk.model, 'demo-embed');
  });

  test('embeddings have length 1 and as many dimensions as asked for', async () => {
    const texts = fc.string({ minLength: 1, unit: 'grapheme' });
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 4096 }), async (input, dimensions) => {
        const { data } = await embed({ input, dimensions });
        const vector = data[0]?.embedding;
        assert.ok(Array.isArray(vector) && vector.length === dimensions);
        assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-5);
      }),
      { numRuns: 30 },
    );
  });

  test('embeddings of texts that share words lie close to each other', async () => {
    const input = ['the cat sat on the mat', 'a cat sat on a mat', 'quarterly tax report'];
    const { data } = await embed({ input });
    const [first, second, third] = data.map((row) => row.embedding as number[]);
    const similarity = (a: number[] = [], b: number[] = []): number =>
      a.reduce((sum, component, index) => sum + component * (b[index] ?? 0), 0);
    assert.ok(similarity(first, second) > 0.4);
    assert.ok(similarity(first, third) < 0.2);
  });

  test('embeddings take tokens, and refuse what OpenAI refuses', async () => {
    assert.equal((await embed({ input: [1, 2, 3] })).usage.prompt_tokens, 3);
    assert.equal((await embed({ input: [[1, 2], [3]] })).data.length, 2);
    for (const body of [
      {},
      { input: '' },
      { input: [] },
      { input: ['a', 1] },
      { input: Array.from({ length: 2049 }, () => 'a') },
      { input: 'a', dimensions: 0 },
      { input: 'a', encoding_format: 'hex' },
    ]) {
      const response = await demo.post('/v1/embeddings', { model: 'demo-embed', ...body });
      await response.text();
      assert.equal(response.status, 400, JSON.stringify(body).slice(0, 60));
    }
  });
});
