import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** After so many bytes the buffers that held them are freed. */
const COLLECT_BYTES = 4 * 1024 * 1024;
/**
 * Smaller buffers, such as those of chats, do not count: V8 frees them early enough, and a collection makes what is in use just
 * then stay for long, up to 25 MiB with 64 chats at a time.
 */
const COUNTED_BYTES = 16 * 1024;

type Collect = (options: { readonly type: 'minor' }) => void;

let passedBytes = 0;
let collect: Collect | null = null;

/**
 * Counts the bytes of a large buffer that passes, and frees those buffers that nobody holds any more. V8 alone frees them in
 * full collections, of which each costs as much CPU as all other work on an upload or a fast stream. A collection of the young
 * objects takes half a millisecond in a server with little else to do, and a few milliseconds in a busy one.
 */
export function countPassed(bytes: number): void {
  if (bytes < COUNTED_BYTES) return;
  passedBytes += bytes;
  if (passedBytes < COLLECT_BYTES) return;
  passedBytes = 0;
  collect ??= findCollect();
  collect({ type: 'minor' });
}

/** V8's own function, which only a context has that begins while the flag is set (V8's `gc-extension.cc`). */
function findCollect(): Collect {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? (found as Collect) : () => {};
}
