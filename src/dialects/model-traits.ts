import type { ModelOptions } from '../store/entities.ts';

/** What a model takes beyond plain chat. */
export interface ModelTraits {
  /** It takes `reasoning_effort`. */
  readonly reasoningEffort: boolean;
  /** The member of assistant messages in which it wants its earlier reasoning back; null: it wants none. */
  readonly reasoningField: 'reasoning_content' | 'reasoning' | null;
  /** It reads PDF files. */
  readonly pdf: boolean;
}

const EFFORT =
  /(^|[/:])o[1345]([-:]|$)|gpt-(5|6|oss)|gemini-(2\.5|[3-9])|grok-(3-mini|[4-9])|magistral|claude-.*-[4-9]([-.:]|$)/;
const NO_EFFORT = /o1-(mini|preview)|gpt-5-chat/;
/** DeepSeek and Kimi refuse a tool turn that lacks the reasoning that led to it. */
const WANTS_REASONING = /deepseek-?(v3\.[2-9]|v[4-9]|reasoner|r[2-9])|kimi-(k2-thinking|k2\.[5-9]|k[3-9])/;
const READS_PDF = /claude|gemini|gpt-(4o|4\.1|[5-9])|(^|[/:])o[134]([-:]|$)/;

/** What a model takes: by its options, else as guessed from its name at the provider. */
export function traitsOf(options: ModelOptions, upstreamModel: string): ModelTraits {
  const name = upstreamModel.toLowerCase();
  const { reasoningEffort, reasoningContent, pdf } = options;
  return {
    reasoningEffort: reasoningEffort ?? (EFFORT.test(name) && !NO_EFFORT.test(name)),
    reasoningField: fieldOf(reasoningContent ?? WANTS_REASONING.test(name)),
    pdf: pdf ?? READS_PDF.test(name),
  };
}

function fieldOf(option: boolean | 'reasoning'): ModelTraits['reasoningField'] {
  if (option === 'reasoning') return 'reasoning';
  return option ? 'reasoning_content' : null;
}
