import { isRecord } from '../json/value.ts';
import type { Price } from '../store/entities.ts';
import { priceReaderOf } from './model-prices.ts';

/** A model in a provider's own list. */
export interface ListedModel {
  readonly id: string;
  /** null: the provider tells none. */
  readonly price: Price | null;
}

const MODELS_LIMIT = 20_000;
const ID_LENGTH = 512;

/**
 * Reads a provider's list: OpenAI's `data`, a bare array (Together), or `models` (Ollama, Gemini); ids may be called `id`,
 * `model` or `name`. null: it is no list. Of a model that is there twice, the first counts.
 * @param host of the provider, without its port: it decides how prices are read
 */
export function readListedModels(value: unknown, host: string): readonly ListedModel[] | null {
  const list = isRecord(value) ? (value['data'] ?? value['models']) : value;
  if (!Array.isArray(list)) return null;
  const readPrice = priceReaderOf(host);
  const models = new Map<string, ListedModel>();
  for (const item of list as readonly unknown[]) {
    if (models.size >= MODELS_LIMIT) break;
    const id = isRecord(item) ? (item['id'] ?? item['model'] ?? item['name']) : item;
    if (typeof id !== 'string' || id === '' || id.length > ID_LENGTH || models.has(id)) continue;
    models.set(id, { id, price: isRecord(item) ? (readPrice?.(item) ?? null) : null });
  }
  return [...models.values()];
}
