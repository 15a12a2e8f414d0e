import { createHash } from 'node:crypto';
import type { JsonMatch, JsonScan } from '../json/matches.ts';
import { compilePatterns } from '../json/patterns.ts';
import { scanJsonInTurns } from '../json/scan.ts';
import { splice } from '../json/splice.ts';
import { JsonScanError } from '../json/tokens.ts';
import { type GiveTurn, giveTurn, Pace } from '../turns.ts';
import { type RawDocument, rawDocument, withoutChecksum } from './document.ts';
import { DocumentError } from './document-error.ts';
import {
  type JsonObject,
  layoutPieces,
  membersOf,
  parseJsonObject,
  refuseDuplicateMembers,
} from './document-text.ts';

/** How many records the lists of a backup may hold: far more than one process can serve. */
const LIST_LIMITS = {
  providers: 2_000,
  models: 20_000,
  apiKeys: 50_000,
  api_keys: 50_000,
  users: 20_000,
  sessions: 50_000,
  counters: 50_000,
} as const;
const LISTS = Object.keys(LIST_LIMITS);
const PATTERNS = compilePatterns(LISTS.flatMap((name) => [name, `${name}.*`]));
const SHAPE = { depth: 32, structures: 4_000_000 };
const RECORD_BYTES = 256 * 1024;
/** Largest size outside of the lists; plain files of earlier programs may hold maps instead of lists. */
const OUTSIDE_BYTES = 1024 * 1024;
/** Work between two turns, in bytes; each record costs some more. */
const TURN_BYTES = 256 * 1024;
const RECORD_COST_BYTES = 128;

/**
 * Does the same as `parseRawDocument` for files from outside, which may be large or hostile: checks their shape before it
 * builds any value, and yields to the event loop again and again by `turn`.
 * @throws DocumentError as `parseRawDocument`; `refused` also for too many records.
 */
export async function parseRawDocumentInTurns(
  file: Uint8Array,
  turn: GiveTurn = giveTurn,
): Promise<RawDocument> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const scan = await scanShape(bytes, turn);
  const lists = scan.matches.filter(({ pattern, kind }) => kind === 'array' && !pattern.includes('.'));
  const { text, object: outside } = parseJsonObject(withEmptyLists(bytes, lists));
  // First, because each list has one place only if no name stands twice.
  refuseDuplicateMembers(text);
  const object: Record<string, unknown> = { ...outside };
  const pace = new Pace(TURN_BYTES, turn);
  for (const { pattern } of lists) {
    const items = scan.matches.filter((match) => match.pattern === `${pattern}.*`);
    object[pattern] = await parseItems(bytes, items, pace);
  }
  const isStated = (object['checksum'] ?? null) !== null;
  const raw = rawDocument(object, isStated ? await hashInTurns(withoutChecksum(object), pace) : '');
  // The caller decodes all records in one go: yield before that.
  await turn();
  return raw;
}

async function scanShape(bytes: Buffer, turn: GiveTurn): Promise<JsonScan> {
  // Reports an empty file or a byte order mark in the words of `parseJsonObject`.
  if (bytes.length === 0 || bytes[0] === 0xef) parseJsonObject(bytes.subarray(0, 3));
  let scan: JsonScan;
  try {
    scan = await scanJsonInTurns(bytes, PATTERNS, { limits: SHAPE, turn });
  } catch (error) {
    if (!(error instanceof JsonScanError)) throw error;
    if (error.reason === 'invalid_json') {
      throw new DocumentError('damaged', 'it is not complete JSON', { cause: error });
    }
    throw new DocumentError('refused', 'it is nested too deeply or has too many values', { cause: error });
  }
  for (const [name, limit] of Object.entries(LIST_LIMITS)) {
    const count = scan.matches.filter(({ pattern }) => pattern === `${name}.*`).length;
    if (count > limit) {
      throw new DocumentError(
        'refused',
        `${name} has ${count} records, ${limit} is the most that is restored`,
      );
    }
  }
  return scan;
}

/** The document with empty lists. */
function withEmptyLists(bytes: Buffer, lists: readonly JsonMatch[]): Buffer {
  const patches = lists.map(({ start, end }) => ({ start, end, bytes: Buffer.from('[]') }));
  const pieces = splice(bytes, patches);
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length > OUTSIDE_BYTES) throw new DocumentError('refused', 'it is too large outside of its lists');
  return Buffer.concat(pieces, length);
}

async function parseItems(bytes: Buffer, items: readonly JsonMatch[], pace: Pace): Promise<unknown[]> {
  const values: unknown[] = [];
  for (const { pattern, start, end } of items) {
    if (end - start > RECORD_BYTES) throw new DocumentError('refused', `a record of ${pattern} is too large`);
    const text = bytes.toString('utf8', start, end);
    values.push(JSON.parse(text));
    refuseDuplicateMembers(text);
    if (pace.isDue(end - start + RECORD_COST_BYTES)) await pace.giveTurn();
  }
  return values;
}

async function hashInTurns(object: JsonObject, pace: Pace): Promise<string> {
  const hash = createHash('sha256');
  for (const piece of layoutPieces(membersOf(object))) {
    hash.update(piece);
    if (pace.isDue(piece.length + RECORD_COST_BYTES)) await pace.giveTurn();
  }
  return `sha256:${hash.digest('hex')}`;
}
