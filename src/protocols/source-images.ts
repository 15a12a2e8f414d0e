import { firstMatch, type JsonMatch, type JsonScan, readStringStart } from '../json/matches.ts';
import { scanBase64 } from './base64-scan.ts';
import { checkImage, imageError } from './images.ts';

const BLOCKS = ['messages.*.content.*', 'messages.*.content.*.content.*'] as const;

/** The members that hold pictures and documents as base64 in requests of the Messages API, also those in results of tools. */
export const SOURCE_DATA: readonly string[] = BLOCKS.map((block) => `${block}.source.data`);

/** What `checkSourceImages` looks up. */
export const SOURCE_PATTERNS: readonly string[] = BLOCKS.flatMap((block) =>
  ['source', 'source.data', 'source.media_type'].map((member) => `${block}.${member}`),
);

const IMAGE = 'image/';

/**
 * Checks every picture of a request of the Messages API that passes as it is. Documents, and pictures behind addresses, are not
 * looked at. @throws HttpError `image_validation_failed`.
 */
export async function checkSourceImages(body: Buffer, scan: JsonScan): Promise<void> {
  if (!SOURCE_DATA.some((pattern) => firstMatch(scan, pattern) !== undefined)) return;
  let source: JsonMatch | null = null;
  let data: JsonMatch | null = null;
  let isImage = false;
  for (const match of scan.matches) {
    const member = memberOf(match);
    if (member === 'source') {
      if (data !== null && isImage) await checkData(body, data);
      source = match;
      data = null;
      isImage = false;
    } else if (source === null || match.start >= source.end || match.kind !== 'string') continue;
    else if (member === 'data') data = match;
    else if (member === 'media_type') isImage = readStringStart(body, match, IMAGE.length).startsWith(IMAGE);
  }
  if (data !== null && isImage) await checkData(body, data);
}

function memberOf({ pattern }: JsonMatch): string | null {
  const block = BLOCKS.find((one) => pattern.startsWith(`${one}.source`));
  return block === undefined ? null : (pattern.split('.').at(-1) ?? null);
}

async function checkData(body: Buffer, { start, end }: JsonMatch): Promise<void> {
  const base64 = await scanBase64(body, { start: start + 1, end: end - 1 });
  if (base64 === null) throw imageError('The data of the image is not valid base64.', 'messages');
  checkImage(base64.head, base64.decodedBytes, 'messages');
}
