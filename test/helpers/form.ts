import type { ReceivedRequest } from './fake-upstream.ts';

/** One part of a form as it stood on the wire. */
export interface SentPart {
  readonly name: string;
  /** Null where the part names none. */
  readonly fileName: string | null;
  readonly type: string | null;
  readonly content: Buffer;
}

/**
 * The parts of a form that an upstream received, read as a strict server does. It shares nothing with the reader under
 * test. Throws where anything is not as RFC 7578 has it, a missing closing boundary included.
 */
export function sentParts(request: Pick<ReceivedRequest, 'headers' | 'body'> | undefined): SentPart[] {
  const contentType = request?.headers['content-type'] ?? '';
  const boundary = /^multipart\/form-data; boundary=([A-Za-z0-9-]{1,70})$/.exec(contentType)?.[1];
  if (boundary === undefined || request === undefined) throw new Error(`not a form: ${contentType}`);
  const parts: SentPart[] = [];
  const delimiter = `\r\n--${boundary}`;
  const bytes = Buffer.concat([Buffer.from('\r\n'), request.body]);
  let at = delimiter.length;
  if (bytes.indexOf(delimiter) !== 0) throw new Error('something stands before the first boundary');
  while (bytes.toString('latin1', at, at + 2) === '\r\n') {
    const end = bytes.indexOf(delimiter, at);
    const headEnd = bytes.indexOf('\r\n\r\n', at);
    if (end < 0 || headEnd < 0 || headEnd > end) throw new Error('a part that does not end');
    parts.push({
      ...readHead(bytes.toString('utf8', at + 2, headEnd)),
      content: bytes.subarray(headEnd + 4, end),
    });
    at = end + delimiter.length;
  }
  if (bytes.toString('latin1', at) !== '--\r\n') throw new Error('no closing boundary at the end');
  return parts;
}

function readHead(head: string): Omit<SentPart, 'content'> {
  const found =
    /^Content-Disposition: form-data; name="([^"\r\n]*)"(?:; filename="([^"\r\n]*)")?(?:\r\nContent-Type: ([^\r\n]+))?$/.exec(
      head,
    );
  if (found === null) throw new Error(`not the head of a part: ${JSON.stringify(head)}`);
  const [, name = '', fileName = null, type = null] = found;
  return { name, fileName, type };
}
