import type { CallEntry } from '../usage/call-entry.ts';
import { NANO_PER_USD } from '../usage/money.ts';
import type { Usage } from '../usage/usage.ts';
import { LabelCounter, LabelHistogram, OTHER } from './label-sets.ts';
import type { Registry } from './registry.ts';

export interface CallMetricsOptions {
  /** The id of the configured model, such as `gpt-*`, that has a name; null: none has it. A client may ask for any name. */
  readonly modelOf: (name: string) => string | null;
  /** True for the path of an endpoint: any path may be passed through. */
  readonly isEndpoint: (path: string) => boolean;
}

/** The most sets of labels of a counter. A histogram has 18 lines for each of them. */
const COUNTER_LIMIT = 2_000;
const HISTOGRAM_LIMIT = 200;

/** Counts calls, their times, tokens and costs. */
export class CallMetrics {
  readonly #options: CallMetricsOptions;
  readonly #calls = new LabelCounter({
    names: ['endpoint', 'model', 'provider', 'outcome'],
    open: ['model', 'provider'],
    limit: COUNTER_LIMIT,
  });
  readonly #tokens = new LabelCounter({
    names: ['model', 'provider', 'kind'],
    open: ['model', 'provider'],
    limit: COUNTER_LIMIT,
  });
  readonly #costNanoUsd = modelCounter();
  readonly #unpriced = modelCounter();
  readonly #limited = new LabelCounter({ names: ['code'], open: ['code'], limit: 20 });
  readonly #durations = durations();
  readonly #firstBytes = durations();

  constructor(registry: Registry, options: CallMetricsOptions) {
    this.#options = options;
    this.#register(registry);
  }

  /** Counts a finished call. */
  count(entry: CallEntry): void {
    if (!entry.isCall) return;
    const { modelOf, isEndpoint } = this.#options;
    const model = entry.modelId === null ? '' : (modelOf(entry.modelId) ?? OTHER);
    const endpoint = isEndpoint(entry.endpoint) ? entry.endpoint : OTHER;
    const provider = entry.providerId ?? '';
    this.#calls.add([endpoint, model, provider, entry.outcome]);
    if (entry.outcome === 'limited') this.#limited.add([entry.code ?? '']);
    if (entry.attempts.length > 0) this.#durations.observe([endpoint, provider], entry.ms);
    if (entry.attempts.length > 0 && entry.ttftMs !== null)
      this.#firstBytes.observe([endpoint, provider], entry.ttftMs);
    if (entry.costNanoUsd !== null) this.#costNanoUsd.add([model, provider], entry.costNanoUsd);
    if (entry.usage === null) return;
    if (entry.costNanoUsd === null) this.#unpriced.add([model, provider]);
    this.#countTokens(entry.usage, model, provider);
  }

  #countTokens(usage: Usage, model: string, provider: string): void {
    const add = (kind: string, tokens: number | null): void => {
      if (tokens !== null && tokens > 0) this.#tokens.add([model, provider, kind], tokens);
    };
    add('prompt', usage.promptTokens);
    add('cached', usage.cachedTokens);
    add('cache_write', usage.cacheWriteTokens);
    add('completion', usage.completionTokens);
    add('reasoning', usage.reasoningTokens);
  }

  #register(registry: Registry): void {
    const counters = [
      ['ipin_calls_total', 'Calls of models, by how they ended.', () => this.#calls.samples()],
      [
        'ipin_tokens_total',
        'Tokens, reported or estimated. `prompt` includes `cached` and `cache_write`, `completion` includes `reasoning`.',
        () => this.#tokens.samples(),
      ],
      [
        'ipin_cost_usd_total',
        'What the priced calls cost, in US dollars.',
        () => this.#costNanoUsd.samples(NANO_PER_USD),
      ],
      [
        'ipin_unpriced_calls_total',
        'Calls that used something without a known price.',
        () => this.#unpriced.samples(),
      ],
      [
        'ipin_limited_calls_total',
        'Calls that a limit refused, by the code of the error.',
        () => this.#limited.samples(),
      ],
    ] as const;
    for (const [name, help, read] of counters) registry.register({ name, type: 'counter', help, read });
    registry.register({
      name: 'ipin_call_duration_seconds',
      type: 'histogram',
      help: 'How long calls that reached a provider took, to the end of the answer.',
      read: () => this.#durations.samples(),
    });
    registry.register({
      name: 'ipin_call_first_byte_seconds',
      type: 'histogram',
      help: 'How long calls that reached a provider took to the first byte of the answer.',
      read: () => this.#firstBytes.samples(),
    });
  }
}

function modelCounter(): LabelCounter {
  const names = ['model', 'provider'];
  return new LabelCounter({ names, open: names, limit: COUNTER_LIMIT });
}

function durations(): LabelHistogram {
  return new LabelHistogram({ names: ['endpoint', 'provider'], open: ['provider'], limit: HISTOGRAM_LIMIT });
}
