import type { Price } from '../../src/store/entities.ts';
import type { Usage } from '../../src/usage/usage.ts';

/** A fraction of whole numbers. */
type Fraction = readonly [bigint, bigint];

/** The cost by the contract's sentences, one after another, in fractions of the decimal digits; for comparison. */
export function slowCostOf(price: Price, usage: Usage): number | null {
  const metered = byTokens(price, usage) ?? byAudio(price, usage) ?? byImages(price, usage);
  if (metered === null && price.perRequest === null) return null;
  const [over, under] = plus(
    metered ?? [0n, 1n],
    price.perRequest === null ? [0n, 1n] : decimal(price.perRequest),
  );
  const nano = (over * 1_000_000_000n * 2n + under) / (under * 2n);
  return nano > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(nano);
}

function byTokens(price: Price, usage: Usage): Fraction | null {
  if (usage.promptTokens === null && usage.completionTokens === null) return null;
  let input = price.inputPerMTok;
  let output = price.outputPerMTok;
  let cached = price.cachedInputPerMTok ?? input;
  let write = price.cacheWritePerMTok ?? input;
  const prompt = usage.promptTokens ?? 0;
  if (price.above !== null && prompt > price.above.inputTokens) {
    input = price.above.inputPerMTok ?? price.inputPerMTok;
    output = price.above.outputPerMTok ?? input;
    cached = price.above.cachedInputPerMTok ?? input;
    write = price.above.cacheWritePerMTok ?? input;
  }
  if ([input, output, cached, write].every((rate) => rate === null)) return null;
  let sum: Fraction = [0n, 1n];
  let left = prompt;
  const take = (count: number): number => {
    const taken = Math.min(count, left);
    left -= taken;
    return taken;
  };
  const parts: (readonly [number, number | null])[] = [
    [take(usage.cachedTokens ?? 0), cached],
    [take(usage.cacheWriteTokens ?? 0), write],
  ];
  parts.push([left, input], [usage.completionTokens ?? 0, output]);
  for (const [tokens, rate] of parts) {
    if (tokens === 0) continue;
    if (rate === null) return null;
    sum = plus(sum, times(decimal(rate), [BigInt(tokens), 1_000_000n]));
  }
  return sum;
}

function byAudio({ perAudioMinute }: Price, { audioSeconds }: Usage): Fraction | null {
  if (perAudioMinute === null || audioSeconds === null) return null;
  return times(decimal(perAudioMinute), times(decimal(audioSeconds), [1n, 60n]));
}

function byImages({ perImage }: Price, { images }: Usage): Fraction | null {
  return perImage === null || images === null ? null : times(decimal(perImage), [BigInt(images), 1n]);
}

/** The number that the digits of a JSON text stand for. */
function decimal(value: number): Fraction {
  const [mantissa = '', exponent = '0'] = JSON.stringify(value).split('e');
  const [whole = '', part = ''] = mantissa.split('.');
  const shift = Number(exponent) - part.length;
  const digits = BigInt(whole + part);
  return shift < 0 ? [digits, 10n ** BigInt(-shift)] : [digits * 10n ** BigInt(shift), 1n];
}

function plus([a, b]: Fraction, [c, d]: Fraction): Fraction {
  return [a * d + c * b, b * d];
}

function times([a, b]: Fraction, [c, d]: Fraction): Fraction {
  return [a * c, b * d];
}
