import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { prepareProgram } from '../helpers/programs.ts';
import { makeFolder } from '../store/fixture.ts';

const canMount = spawnSync('unshare', ['-m', 'true']).status === 0;
const program = canMount ? prepareProgram(join(import.meta.dirname, 'store-program.ts')) : [];

/** Shell commands before the store is opened in `$1`: mount a small disk; mount one file on it onto another. */
const DISKS: readonly [string, string][] = [
  ['a full disk', 'mount -t tmpfs -o size=64k none "$1"'],
  [
    'a full disk under a single mounted file',
    'mount -t tmpfs -o size=96k none "$1" && touch "$1/outside" "$1/ipin-proxy.db" && mount --bind "$1/outside" "$1/ipin-proxy.db"',
  ],
];

for (const [what, mount] of DISKS) {
  test(`${what}: changes are refused, nothing is lost, and saving works again when there is room`, {
    skip: canMount ? false : 'needs the right to mount',
  }, () => {
    const folder = join(makeFolder(), 'disk');
    mkdirSync(folder);
    const script = `${mount} && path="$1/ipin-proxy.db" && shift && exec "$@" fill "$path"`;
    const run = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', folder, ...program], {
      encoding: 'utf8',
    });
    assert.equal(run.status, 0, run.stderr + run.stdout);
    const lines = run.stdout.trimEnd().split('\n');
    const [open, before, ...rest] = lines;
    const refused = rest.splice(0, 20);
    assert.deepEqual([open, before], ['open', 'saved']);
    for (const answer of refused) assert.match(answer, /not saved: no space is left on the disk/);
    assert.deepEqual(rest, ['failing', 'true', 'before', 'saved', 'ok']);
  });
}
