import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Something that was said or written, and what it may hold. */
export interface Trace {
  readonly where: string;
  readonly text: string;
  /** Secrets that are shown here on purpose. */
  readonly allowed?: readonly string[];
}

/** The spellings in which a secret might stand somewhere, by name. */
export function spellingsOf(secret: string): Map<string, string> {
  const bytes = Buffer.from(secret);
  const spellings = new Map([
    ['as it is', secret],
    ['in Latin-1', bytes.toString('latin1')],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ['in JSON in JSON', JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1)],
    ['in a URL', encodeURIComponent(secret)],
    ['in a form', new URLSearchParams({ '': secret }).toString().slice(1)],
    ['in hex', bytes.toString('hex')],
  ]);
  // Base64 of something longer that holds it: what the secret's bytes make at each of the three places.
  for (const before of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    const whole = padded.length - (padded.length % 3);
    const start = before === 0 ? 0 : 4;
    for (const encoding of ['base64', 'base64url'] as const) {
      const text = padded.subarray(0, whole).toString(encoding).slice(start);
      spellings.set(`in ${encoding} at ${before}`, text);
    }
  }
  return spellings;
}

/** Every place where a secret stands in any spelling. */
export function findSecrets(traces: readonly Trace[], secrets: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const [name, secret] of secrets) {
    for (const [spelling, text] of spellingsOf(secret)) {
      for (const trace of traces) {
        if (trace.allowed?.includes(secret) === true) continue;
        const at = trace.text.indexOf(text);
        if (at < 0) continue;
        const around = trace.text.slice(Math.max(0, at - 150), at + text.length + 60);
        found.push(`${name} ${spelling} in ${trace.where}: ${around}`);
      }
    }
  }
  return found;
}

/** All files below a folder, byte by byte. */
export function readTree(folder: string): Trace[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ where: path, text: readFileSync(path, 'latin1') }));
}
