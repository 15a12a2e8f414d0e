/**
 * Reads `text/event-stream` responses of `fetch`. (EventSource can neither POST nor send headers.)
 * Grammar: WHATWG HTML, "Server-sent events", parsing an event stream.
 */

/** The longest event: a hostile server must not fill the memory of the tab. */
const EVENT_LIMIT_CHARS = 8 * 1024 * 1024;

/** @typedef {{ event: string, data: string }} SseEvent */

/**
 * A push parser: text in, whole events out. Lines end in LF, CR or CRLF, and chunks may be cut anywhere. An event
 * without its final blank line counts too, because several servers forget that line.
 * @param {number} [limitChars] largest event, in characters
 * @returns {{ push(text: string): SseEvent[], end(): SseEvent[] }} `push` throws RangeError for a longer event
 */
export function createSseDecoder(limitChars = EVENT_LIMIT_CHARS) {
  /** @type {string[]} */ let lineParts = [];
  /** @type {string[]} */ let dataLines = [];
  let sizeChars = 0;
  let event = '';
  let afterCr = false;
  let atStart = true;

  /** @param {SseEvent[]} out */
  function dispatch(out) {
    if (dataLines.length > 0) out.push({ event: event || 'message', data: dataLines.join('\n') });
    dataLines = [];
    event = '';
    sizeChars = 0;
  }

  /**
   * @param {string} line
   * @param {SseEvent[]} out
   */
  function takeLine(line, out) {
    if (line === '') return dispatch(out);
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const raw = colon < 0 ? '' : line.slice(colon + 1);
    const value = raw.startsWith(' ') ? raw.slice(1) : raw;
    if (name === 'data') dataLines.push(value);
    else if (name === 'event') event = value;
  }

  /** @param {string} part */
  function keep(part) {
    if (part === '') return;
    sizeChars += part.length;
    if (sizeChars > limitChars) throw new RangeError('The server sent an event that is too large.');
    lineParts.push(part);
  }

  /** @param {SseEvent[]} out */
  function endLine(out) {
    const line = lineParts.length === 1 ? lineParts[0] : lineParts.join('');
    lineParts = [];
    takeLine(line, out);
  }

  return {
    push(text) {
      /** @type {SseEvent[]} */ const out = [];
      let from = 0;
      if (atStart && text !== '') {
        atStart = false;
        if (text.startsWith('\uFEFF')) from = 1;
      }
      const newline = /[\r\n]/g;
      newline.lastIndex = from;
      for (let m = newline.exec(text); m; m = newline.exec(text)) {
        const isSecondHalf = m[0] === '\n' && afterCr && m.index === from;
        if (!isSecondHalf) {
          keep(text.slice(from, m.index));
          endLine(out);
        }
        afterCr = m[0] === '\r';
        from = m.index + 1;
      }
      if (from < text.length) {
        afterCr = false;
        keep(text.slice(from));
      }
      return out;
    },
    end() {
      /** @type {SseEvent[]} */ const out = [];
      if (lineParts.length > 0) endLine(out);
      dispatch(out);
      return out;
    },
  };
}

/**
 * Yields the events of a response body as they arrive. Leaving the loop early cancels the body.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<SseEvent, void, void>} throws the errors of the stream (AbortError when aborted)
 */
export async function* readSse(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const sse = createSseDecoder();
  let isDone = false;
  try {
    while (!isDone) {
      const { done, value } = await reader.read();
      isDone = done;
      yield* sse.push(value ? decoder.decode(value, { stream: true }) : decoder.decode());
    }
    yield* sse.end();
  } finally {
    if (!isDone) await reader.cancel().catch(() => {});
  }
}
