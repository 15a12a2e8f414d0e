import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type RunningDemo, startDemo } from './start-demo.ts';

const WEATHER = {
  type: 'function' as const,
  name: 'get_weather',
  strict: true,
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

describe('responses of the demo provider', () => {
  let demo: RunningDemo;
  before(async () => {
    demo = await startDemo();
  });
  after(() => demo.stop());

  test('answer a text and a list of items alike', async () => {
    const fromText = await demo.openai.responses.create({ model: 'demo-chat', input: 'What is 6 * 7?' });
    const fromItems = await demo.openai.responses.create({
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'What is 6 * 7?' }] }],
    });
    assert.equal(fromText.output_text, '6 × 7 = 42');
    assert.equal(fromItems.output_text, fromText.output_text);
    assert.equal(fromItems.model, 'demo-chat');
    assert.equal(fromText.status, 'completed');
    assert.equal(
      fromText.usage?.total_tokens,
      (fromText.usage?.input_tokens ?? 0) + (fromText.usage?.output_tokens ?? 0),
    );
  });

  test('stream numbered events that end with the whole response', async () => {
    const stream = await demo.openai.responses.create({
      model: 'demo-chat',
      input: 'Count to 5',
      stream: true,
    });
    const events = [];
    for await (const event of stream) events.push(event);
    assert.deepEqual(
      events.map((event) => event.sequence_number),
      events.map((_, index) => index),
    );
    const types = [...new Set(events.map((event) => event.type))];
    assert.deepEqual(types, [
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    const deltas = events.map((event) => (event.type === 'response.output_text.delta' ? event.delta : ''));
    assert.equal(deltas.join(''), '1, 2, 3, 4, 5');
    assert.ok(deltas.filter((delta) => delta !== '').length > 3);
  });

  test('stream through the accumulator of the SDK, and name each event on the wire', async () => {
    const helper = demo.openai.responses.stream({ model: 'demo-chat', input: 'Count to 5' });
    const final = await helper.finalResponse();
    assert.equal(final.output_text, '1, 2, 3, 4, 5');
    const raw = await (await demo.post('/v1/responses', { input: 'Count to 5', stream: true })).text();
    for (const record of raw.trimEnd().split('\n\n')) {
      const [event = '', data = ''] = record.split('\n');
      assert.equal(event.slice('event: '.length), JSON.parse(data.slice('data: '.length)).type);
    }
    assert.ok(!raw.includes('[DONE]'));
  });

  test('are incomplete at the token limit', async () => {
    const request = { model: 'demo-chat', input: 'Count to 9', max_output_tokens: 2 };
    const response = await demo.openai.responses.create(request);
    assert.equal(response.status, 'incomplete');
    assert.deepEqual(response.incomplete_details, { reason: 'max_output_tokens' });
    const raw = await (await demo.post('/v1/responses', { ...request, stream: true })).text();
    assert.match(raw, /event: response\.incomplete\ndata: .*\n\n$/);
  });

  test('call a function, and go on with its output', async () => {
    const input = [{ role: 'user' as const, content: 'What is the weather in Oslo?' }];
    const helper = demo.openai.responses.stream({ model: 'demo-chat', input, tools: [WEATHER] });
    const [item] = (await helper.finalResponse()).output;
    assert.ok(item?.type === 'function_call');
    assert.equal(item.name, 'get_weather');
    assert.deepEqual(JSON.parse(item.arguments), { city: 'Oslo' });
    const call = {
      type: 'function_call' as const,
      call_id: item.call_id,
      name: item.name,
      arguments: item.arguments,
    };
    const output = { type: 'function_call_output' as const, call_id: item.call_id, output: 'Snow' };
    const next = await demo.openai.responses.create({
      model: 'demo-chat',
      input: [...input, call, output],
      tools: [WEATHER],
    });
    assert.equal(next.output_text, 'The tool answered: Snow');
  });

  test('answer structured output and see images', async () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    };
    const structured = await demo.openai.responses.create({
      model: 'demo-chat',
      input: 'A trip to Rome',
      text: { format: { type: 'json_schema', name: 'trip', schema, strict: true } },
    });
    assert.deepEqual(JSON.parse(structured.output_text), { city: 'Rome' });
    const gif = Buffer.from('GIF89a\x05\x00\x07\x00', 'latin1').toString('base64');
    const image = {
      type: 'input_image' as const,
      image_url: `data:image/gif;base64,${gif}`,
      detail: 'auto' as const,
    };
    const seen = await demo.openai.responses.create({
      model: 'demo-vision',
      input: [{ role: 'user', content: [image, { type: 'input_text', text: 'What is it?' }] }],
    });
    assert.match(seen.output_text, /a GIF image, 5 × 7 pixels, 10 bytes/);
  });
});
