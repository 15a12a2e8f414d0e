/** The first bytes of a body, and the rest of it, which is not read yet. */
export interface BodyPieces {
  readonly head: Buffer;
  readonly rest: AsyncIterator<Buffer>;
  readonly isWhole: boolean;
}

/** Where fields are looked for that come before the files of a form. */
const HEAD_BYTES = 64 * 1024;

/** Reads the first 64 KiB of a body, or all of a shorter one. */
export async function firstPieces(body: AsyncIterable<Buffer>): Promise<BodyPieces> {
  const rest = body[Symbol.asyncIterator]();
  const pieces: Buffer[] = [];
  let length = 0;
  while (length < HEAD_BYTES) {
    const step = await rest.next();
    if (step.done === true) return { head: Buffer.concat(pieces), rest, isWhole: true };
    pieces.push(step.value);
    length += step.value.length;
  }
  return { head: Buffer.concat(pieces), rest, isWhole: false };
}

/** The whole body again. To leave it early ends the rest. */
export async function* joinedPieces({ head, rest, isWhole }: BodyPieces): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  if (!isWhole) yield* { [Symbol.asyncIterator]: () => rest };
}

/**
 * The field `model` of a form that comes before its files; null: there is none, or the body is no form. It looks at each line
 * once, because a pattern over all lines could be made to backtrack for minutes.
 */
export function headModel(head: Buffer, contentType: string | undefined): string | null {
  if (!/^multipart\/form-data\b/i.test(contentType ?? '')) return null;
  const text = head.toString('utf8');
  const file = text.search(/\bfilename\*?=/i);
  const lines = (file < 0 ? text : text.slice(0, file)).split('\r\n');
  let isModel = false;
  for (const [index, line] of lines.entries()) {
    if (line !== '') {
      isModel ||= namesModel(line);
      continue;
    }
    if (isModel && lines[index + 2]?.startsWith('--') === true) return lines[index + 1] || null;
    isModel = false;
  }
  return null;
}

function namesModel(line: string): boolean {
  if (!/^content-disposition:/i.test(line)) return false;
  return line.split(';').some((parameter) => /^name="?model"?$/i.test(parameter.trim()));
}
