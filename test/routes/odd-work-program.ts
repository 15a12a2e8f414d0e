// Odd requests and answers of a few megabytes. A way through them whose steps grow with the square of their size, or worse, takes
// minutes, so the test ends this program.
import { MESSAGES } from '../../src/dialects/messages/messages.ts';
import { RESPONSES } from '../../src/dialects/responses/responses-dialect.ts';
import { headModel } from '../../src/routes/v1/form-head.ts';
import { about, PLAIN } from '../dialects/messages-setup.ts';
import { doAtOnce } from '../helpers/steps.ts';

type Json = Record<string, unknown>;

const CALLS = 80_000;
const CLIENT = { modelId: 'm', headers: {} };

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function manyCalls(idOf: (index: number) => string): void {
  const calls = times(CALLS, (index) => ({ type: 'tool_use', id: idOf(index), name: 'f', input: {} }));
  const results = times(CALLS, (index) => ({
    type: 'tool_result',
    tool_use_id: idOf(index),
    content: `r${index}`,
  }));
  const messages = [
    { role: 'assistant', content: calls },
    { role: 'user', content: results },
  ];
  const request = doAtOnce(MESSAGES.parse({ model: 'm', max_tokens: 5, messages }, CLIENT));
  doAtOnce(request.toChat(PLAIN));
}

function manyPieces(dialect: typeof MESSAGES, request: Json): void {
  const renderer = doAtOnce(dialect.parse(request, CLIENT)).openStream(about());
  const push = (calls: readonly Json[]): void => {
    renderer.push({ choices: [{ index: 0, delta: { tool_calls: calls }, finish_reason: null }] });
  };
  const call = (index: number, text: string): Json => {
    return { index, id: `c${index}`, function: { name: 'f', arguments: text } };
  };
  push(times(4_000, (index) => call(index, '{')));
  const piece = times(100_000, () => call(0, ' '));
  for (let count = 0; count < 8; count++) push(piece);
}

function formHead(text: string): void {
  headModel(Buffer.from(text), 'multipart/form-data; boundary=x');
}

manyCalls(() => 'x');
manyCalls((index) => `x${index}`);
manyPieces(MESSAGES, { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] });
manyPieces(RESPONSES, { model: 'm', input: 'Hi' });
formHead('content-disposition:;name=model\r\n'.repeat(1_900));
formHead(`${'content-disposition:;name=model;'.repeat(1_000)}\r\n${'x\r\n'.repeat(10_000)}`);
