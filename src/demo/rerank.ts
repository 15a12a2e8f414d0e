import { isRecord } from '../json/value.ts';
import { type DemoAnswer, type DemoCall, json } from './call.ts';
import {
  invalidValue,
  missingParameter,
  optionalBoolean,
  optionalInteger,
  requiredString,
} from './fields.ts';
import { estimateTokens } from './tokens.ts';

const MAX_DOCUMENTS = 10_000;

/**
 * POST /v1/rerank in the shape that Jina and Cohere share: documents by falling relevance, which is the share
 * of words that query and document have in common (0 to 1). Equal scores keep their order.
 */
export function rerank(call: DemoCall): DemoAnswer {
  const { body } = call;
  const query = requiredString(body, 'query');
  const documents = readDocuments(body['documents']);
  const topN = optionalInteger(body, 'top_n', { min: 1, max: MAX_DOCUMENTS }) ?? documents.length;
  const withDocuments = optionalBoolean(body, 'return_documents');
  const queryWords = wordsOf(query);
  const results = documents
    .map((text, index) => ({ index, relevance_score: relevance(queryWords, wordsOf(text)) }))
    .sort((first, second) => second.relevance_score - first.relevance_score)
    .slice(0, topN)
    .map((result) => (withDocuments ? { ...result, document: { text: documents[result.index] } } : result));
  const tokens = documents.reduce((sum, text) => sum + estimateTokens(text), estimateTokens(query));
  return json({
    id: `rerank-${call.id}`,
    model: call.model,
    results,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
    meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } },
  });
}

function readDocuments(documents: unknown): string[] {
  if (documents === undefined || documents === null) throw missingParameter('documents');
  if (!Array.isArray(documents) || documents.length === 0 || documents.length > MAX_DOCUMENTS) {
    throw invalidValue('documents', `a list of 1 to ${MAX_DOCUMENTS} documents`);
  }
  return documents.map((document) => {
    const text = isRecord(document) ? document['text'] : document;
    if (typeof text !== 'string') throw invalidValue('documents', 'strings or objects with a text');
    return text;
  });
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]{1,64}/gu) ?? []);
}

function relevance(query: ReadonlySet<string>, document: ReadonlySet<string>): number {
  let shared = 0;
  for (const word of query) if (document.has(word)) shared += 1;
  return shared === 0 ? 0 : Number((shared / Math.sqrt(query.size * document.size)).toFixed(6));
}
