/** What a chat answer consists of, in the order in which a client may be told. At most one call is open at a time. */
export type ChatEvent =
  | { readonly kind: 'reasoning' | 'text' | 'refusal'; readonly text: string }
  /** The log probabilities of the next text, in OpenAI's form. */
  | { readonly kind: 'logprobs'; readonly tokens: readonly unknown[] }
  /** A tool call begins. Its arguments follow, until its end. */
  | { readonly kind: 'call'; readonly id: string; readonly name: string }
  | { readonly kind: 'arguments'; readonly text: string }
  /** `isWhole`: its arguments are nothing, or a JSON object. */
  | { readonly kind: 'call_end'; readonly arguments: string; readonly isWhole: boolean };

/** How a chat answer ended. */
export interface ChatEnd {
  /** The provider's `finish_reason`, `length` in all spellings; null: it gave none. */
  readonly reason: string | null;
  /** The text at which the model stopped (vLLM's `stop_reason`). */
  readonly stopSequence: string | null;
  readonly hasCalls: boolean;
  readonly hasRefusal: boolean;
  readonly usage: ChatUsage;
}

/** Tokens, estimated where the provider did not report them. */
export interface ChatUsage {
  /** All of the prompt, cached tokens too. */
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
  readonly completionTokens: number;
  /** null: the provider did not tell. */
  readonly reasoningTokens: number | null;
}
