import { createHash } from 'node:crypto';
import type { JsonMatch } from '../json/matches.ts';
import { compilePatterns } from '../json/patterns.ts';
import { scanJsonInTurns } from '../json/scan.ts';
import { JsonScanError } from '../json/tokens.ts';

const PATTERNS = compilePatterns([
  'system',
  'instructions',
  'prompt',
  'input',
  ...['messages', 'input'].flatMap((list) => [`${list}.*`, `${list}.*.role`, `${list}.*.content`]),
]);
/** Of a long text, its first bytes and its length tell conversations apart. */
const COMPARED_BYTES = 64 * 1024;
const SYSTEM_ROLES = ['system', 'developer'];

/**
 * A digest of how a conversation begins: its first system text and its first user message, as bytes. The same conversation
 * keeps it while it grows. null: the body holds no conversation, or too many messages.
 * @param body JSON that was scanned before
 * @param salt what else tells conversations apart, such as the caller and the model
 */
export async function conversationDigest(body: Buffer, salt: string): Promise<string | null> {
  const matches = await matchesIn(body);
  const system = firstOf(matches, ['system', 'instructions']) ?? contentOf(body, matches, SYSTEM_ROLES);
  const user = contentOf(body, matches, ['user']) ?? firstOf(matches, ['prompt', 'input']);
  if (system === undefined && user === undefined) return null;
  const hash = createHash('sha256').update(`${salt.length}\n${salt}\n`);
  for (const part of [system, user]) {
    if (part === undefined) hash.update('none\n');
    else hash.update(`${part.end - part.start}\n`).update(body.subarray(part.start, comparedEnd(part)));
  }
  return hash.digest('base64url');
}

/** No matches where there are too many: the patterns of the earlier scan matched fewer values. */
async function matchesIn(body: Buffer): Promise<readonly JsonMatch[]> {
  try {
    return (await scanJsonInTurns(body, PATTERNS)).matches;
  } catch (error) {
    if (error instanceof JsonScanError) return [];
    throw error;
  }
}

function firstOf(matches: readonly JsonMatch[], patterns: readonly string[]): JsonMatch | undefined {
  return matches.find(({ pattern }) => patterns.includes(pattern));
}

/** The content of the first message with one of these roles. */
function contentOf(
  body: Buffer,
  matches: readonly JsonMatch[],
  roles: readonly string[],
): JsonMatch | undefined {
  for (const role of matches) {
    if (!role.pattern.endsWith('.*.role') || !roles.includes(textOf(body, role))) continue;
    const list = role.pattern.slice(0, -'.role'.length);
    const message = matches.find(
      (one) => one.pattern === list && one.start < role.start && role.end < one.end,
    );
    if (message === undefined) continue;
    return matches.find(
      (one) => one.pattern === `${list}.content` && message.start < one.start && one.end < message.end,
    );
  }
  return undefined;
}

/** The text of a short string, without its quotes; roles need no escapes. */
function textOf(body: Buffer, { start, end }: JsonMatch): string {
  return end - start > 16 ? '' : body.toString('latin1', start + 1, end - 1);
}

function comparedEnd({ start, end }: JsonMatch): number {
  return Math.min(end, start + COMPARED_BYTES);
}
