import type { Price, PriceAbove } from '../store/entities.ts';
import {
  type AttemptEntry,
  CALL_OUTCOMES,
  type CallEntry,
  type PriceSource,
  type PriceUsed,
} from './call-entry.ts';
import {
  list,
  listOrNull,
  MalformedLineError,
  number,
  numberOrNull,
  oneOf,
  text,
  textOrNull,
  timeMs,
} from './line-values.ts';
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
export function decodeEntry(line: string): CallEntry | null {
  try {
    return toEntry(list(JSON.parse(line)));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof MalformedLineError) return null;
    throw error;
  }
}

/** Reads the members by their places, as `encodeEntry` puts them there. */
function toEntry(values: readonly unknown[]): CallEntry | null {
  if (values[0] !== VERSION) return null;
  const flags = number(values[11]);
  return {
    id: text(values[1]),
    endedAtMs: timeMs(values[2]),
    endpoint: text(values[3]),
    keyId: textOrNull(values[4]),
    keyName: textOrNull(values[5]),
    userId: textOrNull(values[6]),
    userName: textOrNull(values[7]),
    modelId: textOrNull(values[8]),
    providerId: textOrNull(values[9]),
    upstreamModel: textOrNull(values[10]),
    stream: (flags & STREAM) !== 0,
    isCall: (flags & IS_CALL) !== 0,
    isAdmitted: (flags & IS_ADMITTED) !== 0,
    status: number(values[12]),
    outcome: oneOf(values[13], CALL_OUTCOMES),
    code: textOrNull(values[14]),
    ms: number(values[15]),
    ttftMs: numberOrNull(values[16]),
    usage: listOrNull(values[17], toUsage),
    costNanoUsd: numberOrNull(values[18]),
    price: listOrNull(values[19], toPriceUsed),
    attempts: list(values[20]).map((value) => toAttempt(list(value))),
    clientAddress: text(values[21]),
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

function toUsage(values: readonly unknown[]): Usage {
  return {
    promptTokens: numberOrNull(values[0]),
    cachedTokens: numberOrNull(values[1]),
    cacheWriteTokens: numberOrNull(values[2]),
    completionTokens: numberOrNull(values[3]),
    reasoningTokens: numberOrNull(values[4]),
    audioSeconds: numberOrNull(values[5]),
    images: numberOrNull(values[6]),
    costNanoUsd: numberOrNull(values[7]),
    isEstimated: number(values[8]) === 1,
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

function toPrice(values: readonly unknown[]): Price {
  return {
    inputPerMTok: numberOrNull(values[0]),
    outputPerMTok: numberOrNull(values[1]),
    cachedInputPerMTok: numberOrNull(values[2]),
    cacheWritePerMTok: numberOrNull(values[3]),
    perAudioMinute: numberOrNull(values[4]),
    perImage: numberOrNull(values[5]),
    perRequest: numberOrNull(values[6]),
    above: listOrNull(values[7], toAbove),
  };
}

function toPriceUsed(values: readonly unknown[]): PriceUsed {
  return { price: toPrice(values), source: oneOf(values[8], SOURCES) };
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

function toAbove(values: readonly unknown[]): PriceAbove {
  return {
    inputTokens: number(values[0]),
    inputPerMTok: numberOrNull(values[1]),
    outputPerMTok: numberOrNull(values[2]),
    cachedInputPerMTok: numberOrNull(values[3]),
    cacheWritePerMTok: numberOrNull(values[4]),
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

function toAttempt(values: readonly unknown[]): AttemptEntry {
  return {
    providerId: text(values[0]),
    upstreamModel: text(values[1]),
    keyId: textOrNull(values[2]),
    keyHint: textOrNull(values[3]),
    status: numberOrNull(values[4]),
    result: text(values[5]),
    code: textOrNull(values[6]),
    ms: number(values[7]),
  };
}
