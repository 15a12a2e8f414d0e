import type { Random } from '../../test/helpers/fuzz-random.ts';

/**
 * What the provider does with one request. `500`, `503`: that status. `cut`: closes the connection without an answer. `half`:
 * closes it in the middle of the answer. `slow`: answers later than the proxy waits.
 */
export type Turn = 'ok' | Fault;
export type Fault = '500' | '503' | 'cut' | 'half' | 'slow';

export type CallKind = 'chat' | 'stream' | 'embeddings' | 'upload' | 'held-upload';

/** One call, with everything that will happen to it. */
export interface PlannedCall {
  readonly id: number;
  readonly kind: CallKind;
  /** What the provider does with the first request of the call, the second, and so on; after these: `ok`. */
  readonly turns: readonly Turn[];
  /** The client leaves after this time; null: it stays. */
  readonly leavesAfterMs: number | null;
  /** Calls of the same conversation go to the same key, where possible. */
  readonly conversation: number;
  /** The size of the text or file that is sent. */
  readonly bytes: number;
}

/** How a call ended for its client. */
export type CallEnd =
  | { readonly kind: 'ok' | 'left' }
  /** `broken`: the stream ended with an error as its last record. `truncated`: another answer was cut. */
  | { readonly kind: 'broken' | 'truncated' }
  /** An error answer. `attempts` is the header `x-ipin-attempts`. */
  | { readonly kind: 'refused'; readonly status: number; readonly attempts: number }
  /** Anything that must not happen. */
  | { readonly kind: 'wrong'; readonly why: string };

/** The paths of the calls, behind `/v1/`. */
export const PATHS: Readonly<Record<CallKind, string>> = {
  chat: 'chat/completions',
  stream: 'chat/completions',
  embeddings: 'embeddings',
  upload: 'audio/transcriptions',
  'held-upload': 'audio/transcriptions',
};

const FAULTS: readonly [Fault, ...Fault[]] = ['500', '503', 'cut', 'half', 'slow'];
const FAULT_SHARE = 0.05;
/** Some of them leave too late: a tenth of all calls ends so. */
const LEAVE_SHARE = 0.13;
/** As long as most calls take. */
const LEAVE_LIMIT_MS = { stream: 500, others: 40 } as const;
/** The attempts of a call: the first one, and UPSTREAM_RETRIES. */
const ATTEMPTS = 3;
/** More than one call can need: three attempts, and for each a closed connection that is not counted. */
const TURNS = 6;
/** Three times as many as the proxy remembers. */
const CONVERSATIONS = 30_000;
/** Of 20 calls. */
const KINDS: readonly [CallKind, ...CallKind[]] = [
  'upload',
  'held-upload',
  ...Array<CallKind>(8).fill('chat'),
  ...Array<CallKind>(7).fill('stream'),
  ...Array<CallKind>(3).fill('embeddings'),
];

/** Draws the next call. */
export function planCall(id: number, random: Random): PlannedCall {
  const kind = random.pick(KINDS);
  const turns = Array.from(
    { length: TURNS },
    (): Turn => (random.chance(FAULT_SHARE) ? random.pick(FAULTS) : 'ok'),
  );
  const leaveLimitMs = kind === 'stream' ? LEAVE_LIMIT_MS.stream : LEAVE_LIMIT_MS.others;
  return {
    id,
    kind,
    turns,
    leavesAfterMs: random.chance(LEAVE_SHARE) ? random.int(leaveLimitMs) : null,
    conversation: random.int(CONVERSATIONS),
    // Most are small, some are not.
    bytes: random.chance(0.02) ? random.int(400_000) : random.int(8_000),
  };
}

/** The text by which the provider knows the call and its part; it goes through the proxy unchanged. */
export function tagOf({ id, turns }: PlannedCall): string {
  return `soak-${id}.${turns.join('-')}`;
}

/** Reads a tag; null: there is none. */
export function readTag(text: string): { readonly id: number; readonly turns: readonly Turn[] } | null {
  const [, id, turns] = /soak-(\d+)\.((?:[a-z0-9]+-)*[a-z0-9]+)/.exec(text) ?? [];
  return id === undefined || turns === undefined
    ? null
    : { id: Number(id), turns: turns.split('-') as Turn[] };
}

/** What is wrong with the end of a call, given what the provider did; null if nothing is. */
export function problemOf({ kind, turns }: PlannedCall, end: CallEnd): string | null {
  const firstGood = turns.indexOf('ok');
  const faults = firstGood < 0 ? turns : turns.slice(0, firstGood);
  // JSON is held until it is whole, but a transcript, which may be text, passes as it comes.
  const isCut = end.kind === 'broken' ? kind === 'stream' : PATHS[kind] === 'audio/transcriptions';
  switch (end.kind) {
    case 'ok':
    case 'left':
      return null;
    case 'wrong':
      return end.why;
    case 'broken':
    case 'truncated':
      return isCut && faults.includes('half') ? null : `${end.kind}, but the provider sent it whole`;
    case 'refused': {
      // A form that is sent on while it arrives can be sent only once.
      const attempts = kind === 'upload' ? 1 : ATTEMPTS;
      if (end.attempts === attempts && attempts <= faults.length) return null;
      return `status ${end.status} after ${end.attempts} attempts`;
    }
  }
}

/** The end of a call in words, to be counted. */
export function nameOf(end: CallEnd): string {
  return end.kind === 'refused' ? `${end.status} after ${end.attempts} attempts` : end.kind;
}
