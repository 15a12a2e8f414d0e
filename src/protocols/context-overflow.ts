import type { ErrorObject } from '../errors.ts';

/** OpenAI's code for a conversation that is too long for the model. */
export const CONTEXT_OVERFLOW = 'context_length_exceeded';

/** OpenAI and most others; llama.cpp. */
const NAMES: readonly (string | null)[] = [CONTEXT_OVERFLOW, 'exceed_context_size_error'];
/** What vendors write who have no code for it: vLLM, SGLang, Anthropic, DeepSeek, xAI, Groq, Mistral, Bedrock, Gemini, Ollama. */
const TEXTS =
  /maximum context length|context (length|size|window)( of [\w ]+)?( is | was |'s )?( been )?exceed|exceed\w* (the |this |your |its )?(\w+'s )?(\w+ )?(maximum |max )?(available )?(context|prompt) (length|size|window)|(prompt|input)( is|'s)? too long|maximum prompt length|input token count .*exceeds|longer than the (model's )?context|reduce the length of (the|your) (messages|prompt|input)/i;

/** True for an error of a provider that says that the conversation is too long for the model. */
export function isContextOverflow({ code, type, message }: ErrorObject): boolean {
  return NAMES.includes(code) || NAMES.includes(type) || TEXTS.test(message);
}
