import { estimateTokens, type MeterKind } from '../usage/usage.ts';

/** What a request tells about what it will use. */
export interface RequestSize {
  /** Of the body without its data URLs; for speech, of the text to be spoken. */
  readonly textBytes: number;
  /** Pictures that it sends. */
  readonly pictures: number;
  /** How long the answer may become; null: the request does not say. */
  readonly maxTokens: number | null;
  /** How many answers, or pictures, it asks for. */
  readonly choices: number;
  readonly audioSeconds: number;
}

/** What a call may use at most, by its kinds, as estimated from its request. */
export interface UseEstimate {
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly images: number;
  readonly audioSeconds: number;
}

/** For requests that nobody has looked at yet. */
export const NOTHING_ESTIMATED: UseEstimate = {
  promptTokens: 0,
  answerTokens: 0,
  images: 0,
  audioSeconds: 0,
};

/** For requests that tell nothing. */
export const NO_SIZE: RequestSize = {
  textBytes: 0,
  pictures: 0,
  maxTokens: null,
  choices: 1,
  audioSeconds: 0,
};

const PICTURE_TOKENS = 1000;
/** The longest answer of models that set none. */
const ANSWER_TOKENS = 4096;
/** More than any provider makes for one request. */
const CHOICES_LIMIT = 1000;

/**
 * Estimates what a call may use at most.
 * @param maxOutputTokens of the model; undefined: it sets none
 */
export function estimateUse(
  meter: MeterKind,
  size: RequestSize,
  maxOutputTokens: number | undefined,
): UseEstimate {
  const choices = Math.min(Math.max(1, size.choices), CHOICES_LIMIT);
  switch (meter) {
    case 'tokens':
      return tokensOnly(promptTokens(size), answerTokens(size.maxTokens, maxOutputTokens) * choices);
    case 'input':
    case 'speech':
      return tokensOnly(promptTokens(size), 0);
    case 'images':
      return { ...tokensOnly(0, 0), images: choices };
    case 'reported':
      return NOTHING_ESTIMATED;
    case 'audio':
      return { ...tokensOnly(0, 0), audioSeconds: size.audioSeconds };
  }
}

function tokensOnly(prompt: number, answer: number): UseEstimate {
  return { promptTokens: prompt, answerTokens: answer, images: 0, audioSeconds: 0 };
}

function promptTokens({ textBytes, pictures }: RequestSize): number {
  return Math.max(1, estimateTokens(textBytes) + pictures * PICTURE_TOKENS);
}

function answerTokens(asked: number | null, most = ANSWER_TOKENS): number {
  return asked === null ? most : Math.min(Math.max(0, asked), most);
}
