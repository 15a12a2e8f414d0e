function record(content: string): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: null }];
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', choices })}\n\n`;
}

/** Whole records of a chat stream, small and large ones. */
export const FIRST_RECORDS = record('Hello') + record('x'.repeat(20_000)) + record('third');
/** The first bytes of the next record. */
export const HALF_RECORD = record('never seen').slice(0, 60);
