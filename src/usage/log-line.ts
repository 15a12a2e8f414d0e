import type { Price, PriceAbove } from '../store/entities.ts';
import { type AttemptEntry, CALL_OUTCOMES, type CallEntry, type PriceSource } from './call-entry.ts';
import { Cells, MalformedCellsError } from './cells.ts';
import type { Usage } from './usage.ts';

/** The version of the line's form. Lines of other versions are skipped. */
const VERSION = 1;
const STREAM = 1;
const IS_CALL = 2;
const IS_ADMITTED = 4;
const SOURCES: readonly PriceSource[] = ['own', 'provider', 'list'];

/** One line of the request log: the members of an entry in a fixed order, as a JSON array. */
export function encodeEntry(entry: CallEntry): string {
  const { usage, price } = entry;
  return JSON.stringify([
    VERSION,
    entry.id,
    entry.endedAtMs,
    entry.endpoint,
    entry.keyId,
    entry.keyName,
    entry.userId,
    entry.userName,
    entry.modelId,
    entry.providerId,
    entry.upstreamModel,
    (entry.stream ? STREAM : 0) | (entry.isCall ? IS_CALL : 0) | (entry.isAdmitted ? IS_ADMITTED : 0),
    entry.status,
    entry.outcome,
    entry.code,
    entry.ms,
    entry.ttftMs,
    usage === null ? null : encodeUsage(usage),
    entry.costNanoUsd,
    price === null ? null : encodePrice(price.price, price.source),
    entry.attempts.map(encodeAttempt),
    entry.clientAddress,
  ]);
}

/** The entry of a line; null if the line is of another form. */
export function decodeEntry(text: string): CallEntry | null {
  try {
    return toEntry(new Cells(JSON.parse(text)));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof MalformedCellsError) return null;
    throw error;
  }
}

/** Reads the members in their order: `encodeEntry` writes the same one. */
function toEntry(cells: Cells): CallEntry | null {
  if (cells.number() !== VERSION) return null;
  const head = {
    id: cells.text(),
    endedAtMs: cells.timeMs(),
    endpoint: cells.text(),
    keyId: cells.textOrNull(),
    keyName: cells.textOrNull(),
    userId: cells.textOrNull(),
    userName: cells.textOrNull(),
    modelId: cells.textOrNull(),
    providerId: cells.textOrNull(),
    upstreamModel: cells.textOrNull(),
  };
  const flags = cells.number();
  return {
    ...head,
    stream: (flags & STREAM) !== 0,
    isCall: (flags & IS_CALL) !== 0,
    isAdmitted: (flags & IS_ADMITTED) !== 0,
    status: cells.number(),
    outcome: cells.oneOf(CALL_OUTCOMES),
    code: cells.textOrNull(),
    ms: cells.number(),
    ttftMs: cells.numberOrNull(),
    usage: cells.listOrNull(toUsage),
    costNanoUsd: cells.numberOrNull(),
    price: cells.listOrNull((list) => ({ price: toPrice(list), source: list.oneOf(SOURCES) })),
    attempts: cells.lists(toAttempt),
    clientAddress: cells.text(),
  };
}

function encodeUsage(usage: Usage): readonly unknown[] {
  return [
    usage.promptTokens,
    usage.cachedTokens,
    usage.cacheWriteTokens,
    usage.completionTokens,
    usage.reasoningTokens,
    usage.audioSeconds,
    usage.images,
    usage.costNanoUsd,
    usage.isEstimated ? 1 : 0,
  ];
}

function toUsage(cells: Cells): Usage {
  return {
    promptTokens: cells.numberOrNull(),
    cachedTokens: cells.numberOrNull(),
    cacheWriteTokens: cells.numberOrNull(),
    completionTokens: cells.numberOrNull(),
    reasoningTokens: cells.numberOrNull(),
    audioSeconds: cells.numberOrNull(),
    images: cells.numberOrNull(),
    costNanoUsd: cells.numberOrNull(),
    isEstimated: cells.number() === 1,
  };
}

function encodePrice(price: Price, source: PriceSource): readonly unknown[] {
  return [
    price.inputPerMTok,
    price.outputPerMTok,
    price.cachedInputPerMTok,
    price.cacheWritePerMTok,
    price.perAudioMinute,
    price.perImage,
    price.perRequest,
    price.above === null ? null : encodeAbove(price.above),
    source,
  ];
}

function toPrice(cells: Cells): Price {
  return {
    inputPerMTok: cells.numberOrNull(),
    outputPerMTok: cells.numberOrNull(),
    cachedInputPerMTok: cells.numberOrNull(),
    cacheWritePerMTok: cells.numberOrNull(),
    perAudioMinute: cells.numberOrNull(),
    perImage: cells.numberOrNull(),
    perRequest: cells.numberOrNull(),
    above: cells.listOrNull(toAbove),
  };
}

function encodeAbove(above: PriceAbove): readonly unknown[] {
  return [
    above.inputTokens,
    above.inputPerMTok,
    above.outputPerMTok,
    above.cachedInputPerMTok,
    above.cacheWritePerMTok,
  ];
}

function toAbove(cells: Cells): PriceAbove {
  return {
    inputTokens: cells.number(),
    inputPerMTok: cells.numberOrNull(),
    outputPerMTok: cells.numberOrNull(),
    cachedInputPerMTok: cells.numberOrNull(),
    cacheWritePerMTok: cells.numberOrNull(),
  };
}

function encodeAttempt(attempt: AttemptEntry): readonly unknown[] {
  return [
    attempt.providerId,
    attempt.upstreamModel,
    attempt.keyId,
    attempt.keyHint,
    attempt.status,
    attempt.result,
    attempt.code,
    attempt.ms,
  ];
}

function toAttempt(cells: Cells): AttemptEntry {
  return {
    providerId: cells.text(),
    upstreamModel: cells.text(),
    keyId: cells.textOrNull(),
    keyHint: cells.textOrNull(),
    status: cells.numberOrNull(),
    result: cells.text(),
    code: cells.textOrNull(),
    ms: cells.number(),
  };
}
