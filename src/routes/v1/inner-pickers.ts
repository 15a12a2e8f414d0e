import { decodeString } from '../../json/members.ts';
import { BACKSLASH, COLON, QUOTE } from '../../json/tokens.ts';
import { Pace } from '../../turns.ts';
import { foldedName, isModelPicker, pickerRefused } from './model-pickers.ts';

/** The bytes between two turns of others. */
const BYTES_PER_TURN = 512 * 1024;
/** Longer names, escapes included, are no picker's. */
const NAME_BYTES = 400;
/** Segments of a path that a model's name follows: OpenAI's older API, Azure, Google. */
const BEFORE_MODELS: readonly string[] = ['engines', 'deployments', 'models'];
/** The file of a batch names the models of its requests itself. */
const BATCH_FILE = 'input_file_id';

/**
 * Refuses a body that names another model anywhere within, such as in the requests of a batch. For paths without a row: nobody
 * knows what their bodies mean. Others have their turns meanwhile. @param body valid JSON
 * @throws HttpError `invalid_body`.
 */
export async function refuseInnerPickers(body: Buffer): Promise<void> {
  const pace = new Pace(BYTES_PER_TURN);
  let models = 0;
  for (let at = body.indexOf(QUOTE); at >= 0; ) {
    const end = endOfString(body, at);
    if (isMember(body, end) && end - at <= NAME_BYTES) {
      const name = foldedName(decodeString(body, at, end));
      if (name === 'model') models += 1;
      if (models > 1 || name === BATCH_FILE || isModelPicker(name)) throw pickerRefused(name);
    }
    const next = body.indexOf(QUOTE, end);
    if (pace.isDue((next < 0 ? body.length : next) - at)) await pace.giveTurn();
    at = next;
  }
}

/** Refuses a path that names a model itself. @throws HttpError `invalid_body`. */
export function refuseModelPath(segments: readonly string[]): void {
  const found = segments.find((segment) => BEFORE_MODELS.includes(foldedName(segment)));
  if (found !== undefined) throw pickerRefused(found);
}

/** The index after the closing quote. */
function endOfString(body: Buffer, start: number): number {
  let at = start + 1;
  while (at < body.length && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** A string is the name of a member if a colon follows. */
function isMember(body: Buffer, end: number): boolean {
  let at = end;
  while (at < body.length && (body[at] as number) <= 0x20) at += 1;
  return body[at] === COLON;
}
