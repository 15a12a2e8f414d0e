import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { LogFields, Logger } from '../../src/logger.ts';
import { SnapshotError, type SnapshotErrorKind } from '../../src/offsite/errors.ts';
import { SnapshotSeal } from '../../src/offsite/seal.ts';
import { DocumentCodec } from '../../src/store/document.ts';
import { createNewConfig } from '../../src/store/new-config.ts';

export const KEY = 'correct horse battery staple';

/** One for all tests of a file: deriving its key takes a quarter of a second. */
export const sharedSeal = new SnapshotSeal(KEY, randomBytes);

export const SIGNAL = new AbortController().signal;

/** For `assert.rejects`: true for a SnapshotError of this kind. */
export function isKind(kind: SnapshotErrorKind, message = /./): (error: unknown) => boolean {
  return (error) => error instanceof SnapshotError && error.kind === kind && message.test(error.message);
}

export interface Line {
  readonly level: string;
  readonly event: string;
  readonly message: string;
}

/** A logger whose lines can be asked for. */
export function captureLog(): { readonly lines: Line[]; readonly logger: Logger } {
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (event: string, fields: LogFields = {}): void => {
      lines.push({ level, event, message: String(fields['message'] ?? '') });
    };
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}

/** A database file of a fresh store. */
export function documentOf(
  generation: number,
  { instanceId = 'a1b2c3d4', counters = [] as [string, number][] } = {},
): Buffer {
  const config = { ...createNewConfig({ now: () => 0, randomBytes }), instanceId };
  const savedAt = '2026-03-01T12:00:00.000Z';
  const document = { generation, savedAt, config, sessions: [], numbers: counters };
  return new DocumentCodec(null).encode(document).bytes;
}

/** A path for a database in a folder of its own, which ends with the test. */
export async function databasePath(t: TestContext): Promise<string> {
  const { mkdtemp, rm } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const folder = await mkdtemp(join(tmpdir(), 'ipin-snapshot-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'ipin-proxy.db');
}
