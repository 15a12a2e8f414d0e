import { firstMatch, type JsonMatch } from '../json/matches.ts';
import type { Patch } from '../json/splice.ts';
import { optionsName } from '../protocols/model-options.ts';
import type { AdapterCall, Asked, JsonCallBody, Refusal, SuspectedQuirk } from './adapter.ts';

const OPTIONS = 'stream_options';
const FLAG = 'stream_options.include_usage';
const LETTER_T = 0x74;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * True if an attempt asks for the usage of a stream although the client did not: so that it can be counted. The answer must hide
 * it. Only for streams of chat chunks, and only if the provider's option allows it.
 * A model whose options name `stream_options` gets what these say.
 * @param asked with the quirks that the attempt respects; the provider may learn more while the attempt runs
 */
export function addsUsage(
  { endpoint, body, options }: AdapterCall,
  { provider, quirks }: Pick<Asked, 'provider' | 'quirks'>,
): boolean {
  if (endpoint.streamEnd !== 'chat' || body.kind !== 'json' || optionsName(options, OPTIONS)) return false;
  if (provider.record.options.includeUsage === 'never' || quirks.has('no_stream_options')) return false;
  return isTrue(body, 'stream') && !isTrue(body, FLAG) && canAdd(body);
}

/** The body with `include_usage` set, for a call of which `addsUsage` is true. */
export function withUsage(body: JsonCallBody): JsonCallBody {
  return { ...body, patches: [...body.patches, usagePatch(body)] };
}

/**
 * Some servers refuse `stream_options`. With the option `always`, the refusal is not remembered: the provider may serve several
 * models, and the owner wants the usage of those that report it.
 */
export function suspectNoStreamOptions(
  call: AdapterCall,
  { status, text }: Refusal,
  asked: Asked,
): SuspectedQuirk | null {
  if ((status !== 400 && status !== 422) || !/stream_options|include_usage/.test(text)) return null;
  if (!addsUsage(call, asked)) return null;
  const isRemembered = asked.provider.record.options.includeUsage !== 'always';
  return { quirk: 'no_stream_options', isGuess: false, isRemembered };
}

function isTrue({ bytes, scan }: JsonCallBody, pattern: string): boolean {
  const match = firstMatch(scan, pattern);
  return match?.kind === 'boolean' && bytes[match.start] === LETTER_T;
}

/** False for `stream_options` of a wrong kind, for another spelling that some servers accept, and where another patch changes it. */
function canAdd({ scan, patches }: JsonCallBody): boolean {
  if (scan.folded.includes(OPTIONS) || scan.ambiguous.includes(OPTIONS)) return false;
  const options = firstMatch(scan, OPTIONS);
  if (options === undefined) return true;
  if (options.kind !== 'object' && options.kind !== 'null') return false;
  return !patches.some(({ start, end }) => start < options.end && end > options.start);
}

function usagePatch({ bytes, scan }: JsonCallBody): Patch {
  const flag = firstMatch(scan, FLAG);
  if (flag !== undefined) return replacement(flag, 'true');
  const options = firstMatch(scan, OPTIONS);
  if (options?.kind === 'null') return replacement(options, '{"include_usage":true}');
  if (options !== undefined) return firstMember(bytes, options.start, '"include_usage":true');
  return firstMember(bytes, bytes.indexOf(OPEN_BRACE), '"stream_options":{"include_usage":true}');
}

function replacement({ start, end }: JsonMatch, text: string): Patch {
  return { start, end, bytes: Buffer.from(text) };
}

/** Inserts a member at the beginning of the object whose brace is at `brace`. */
function firstMember(bytes: Buffer, brace: number, member: string): Patch {
  let at = brace + 1;
  while ((bytes[at] as number) <= 0x20) at++;
  const comma = bytes[at] === CLOSE_BRACE ? '' : ',';
  return { start: brace + 1, end: brace + 1, bytes: Buffer.from(`${member}${comma}`) };
}
