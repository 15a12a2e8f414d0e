import assert from 'node:assert/strict';
import { test } from 'node:test';

interface Need {
  readonly id: string;
  readonly kind: 'bad' | 'warn' | 'info';
  readonly title: string;
  readonly text: string;
  readonly action: { readonly label: string; readonly tab: string; readonly intent?: string };
}

const file = new URL('../../public/js/views/needs.js', import.meta.url);
const { afterSetup }: { afterSetup(needs: readonly Need[]): Need[] } = await import(file.href);

function need(id: string, kind: Need['kind'], action: Partial<Need['action']> = {}): Need {
  return { id, kind, title: id, text: '', action: { label: 'See the server', tab: 'settings', ...action } };
}

test('a setup leaves out what its steps ask for, and warns only of what work would be lost by', () => {
  const left = afterSetup([
    need('warning:default_password', 'bad', { label: 'Set a password', intent: 'password' }),
    need('provider:openai', 'warn', { label: 'Add key', tab: 'providers' }),
    need('warning:storage_failing', 'bad'),
    need('warning:storage_volatile', 'warn'),
    need('warning:keys_not_encrypted', 'warn'),
    need('snapshot', 'info'),
  ]);
  assert.deepEqual(
    left.map(({ id, kind }) => [id, kind]),
    [
      ['warning:storage_failing', 'bad'],
      ['warning:storage_volatile', 'warn'],
      ['warning:keys_not_encrypted', 'info'],
      ['snapshot', 'info'],
    ],
  );
});
