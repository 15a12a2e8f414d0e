import { isRecord } from '../json/value.ts';
import { type DemoAnswer, type DemoCall, DONE_RECORD, dataRecord, eventStream, json } from './call.ts';
import { type Conversation, readConversation } from './conversation.ts';
import { invalidValue, missingParameter, optionalBoolean, optionalInteger } from './fields.ts';
import { type Generation, generate, readStop } from './generation.ts';
import { toPieces } from './tokens.ts';

const DEFAULT_MAX_TOKENS = 1000;
const MAX_PROMPTS = 128;

interface TextChoice {
  readonly generation: Generation;
  /** The prompt, where `echo` asks for it. */
  readonly echoed: string;
}

/** POST /v1/completions, whole or streamed (OpenAI API reference, Completions). */
export function completion(call: DemoCall): DemoAnswer {
  const { body } = call;
  const prompts = readPrompts(body['prompt']);
  const count = optionalInteger(body, 'n', { min: 1, max: 16 }) ?? 1;
  const maxTokens = optionalInteger(body, 'max_tokens', { min: 0, max: 1_000_000 }) ?? DEFAULT_MAX_TOKENS;
  const options = { model: call.model, body: {}, format: { type: 'text' }, stop: readStop(body), maxTokens };
  const hasEcho = optionalBoolean(body, 'echo');
  const choices = prompts.flatMap((prompt) =>
    Array.from({ length: count }, (_, choice) => ({
      generation: generate(prompt, { ...options, choice }),
      echoed: hasEcho ? prompt.text : '',
    })),
  );
  const usage = usageOf(prompts, choices);
  if (optionalBoolean(body, 'stream')) return eventStream(chunks(call, choices, usage));
  const finished = choices.map(({ generation, echoed }, index) => ({
    text: echoed + generation.pieces.join(''),
    index,
    logprobs: null,
    finish_reason: generation.finishReason,
  }));
  return json({ ...head(call), choices: finished, usage });
}

function* chunks(call: DemoCall, choices: readonly TextChoice[], usage: object): Generator<string> {
  const streamOptions = call.body['stream_options'];
  const includeUsage = isRecord(streamOptions) && streamOptions['include_usage'] === true;
  const chunk = (index: number, text: string, finishReason: string | null): string =>
    dataRecord({
      ...head(call),
      choices: [{ text, index, logprobs: null, finish_reason: finishReason }],
      ...(includeUsage ? { usage: null } : {}),
    });
  for (const [index, { generation, echoed }] of choices.entries()) {
    for (const piece of [...toPieces(echoed), ...generation.pieces]) yield chunk(index, piece, null);
    yield chunk(index, '', generation.finishReason);
  }
  if (includeUsage) yield dataRecord({ ...head(call), choices: [], usage });
  yield DONE_RECORD;
}

/** Reads the four shapes of `prompt`; token arrays cannot be turned into text and are described instead. */
function readPrompts(prompt: unknown): Conversation[] {
  if (prompt === undefined || prompt === null) throw missingParameter('prompt');
  const isTokens = (value: unknown): value is number[] =>
    Array.isArray(value) && value.length > 0 && value.every((token) => Number.isInteger(token));
  const list: unknown[] = Array.isArray(prompt) && !isTokens(prompt) ? prompt : [prompt];
  if (list.length === 0 || list.length > MAX_PROMPTS)
    throw invalidValue('prompt', `1 to ${MAX_PROMPTS} prompts`);
  return list.map((item) => {
    if (isTokens(item)) {
      const read = readConversation([
        { role: 'user', content: `(${item.length} tokens, which I cannot read)` },
      ]);
      return { ...read, promptTokens: item.length };
    }
    if (typeof item !== 'string') throw invalidValue('prompt', 'strings or lists of tokens');
    return readConversation([{ role: 'user', content: item }]);
  });
}

function head(call: DemoCall): object {
  return {
    id: `cmpl-${call.id}`,
    object: 'text_completion',
    created: call.createdSeconds,
    model: call.model,
  };
}

function usageOf(prompts: readonly Conversation[], choices: readonly TextChoice[]): object {
  const promptTokens = prompts.reduce((sum, prompt) => sum + prompt.promptTokens, 0);
  const completionTokens = choices.reduce((sum, choice) => sum + choice.generation.tokens, 0);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}
