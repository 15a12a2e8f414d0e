import type { ResponseHead } from '../../../src/providers/upstream/response-head.ts';
import { ResponseParser } from '../../../src/providers/upstream/response-parser.ts';

/** What a client makes of the bytes of a connection. */
export type Outcome =
  | {
      readonly kind: 'whole';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | string[] | undefined>>;
      /** In Latin-1. */
      readonly body: string;
    }
  | { readonly kind: 'refused'; readonly reason: string };

/** What our parser makes of the bytes of a connection that ends after them, given in these pieces. */
export function viaParser(
  pieces: readonly Buffer[],
  method = 'POST',
): Outcome & { readonly isClean: boolean } {
  let head: ResponseHead | null = null;
  let body = '';
  let ends = 0;
  let isClean = false;
  const parser = new ResponseParser({
    onHead(found) {
      if (head !== null) throw new Error('a second head');
      head = found;
    },
    onBody(bytes) {
      if (head === null || ends > 0) throw new Error('bytes outside a body');
      body += bytes.toString('latin1');
    },
    onEnd(clean) {
      ends += 1;
      isClean = clean;
    },
  });
  parser.begin(method === 'HEAD');
  try {
    // The parser moves bytes within what it gets.
    for (const piece of pieces) if (ends === 0) parser.push(Buffer.from(piece));
    if (ends === 0 && !parser.finish()) return { kind: 'refused', reason: 'cut', isClean };
  } catch (error) {
    return { kind: 'refused', reason: error instanceof Error ? error.message : String(error), isClean };
  }
  if (ends !== 1 || head === null) throw new Error(`${ends} ends`);
  const { status, headers }: ResponseHead = head;
  if (status === 101) return { kind: 'refused', reason: 'upgrade', isClean };
  return { kind: 'whole', status, headers, body, isClean };
}
