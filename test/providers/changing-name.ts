// Runs in its own mount namespace, with the given file as /etc/hosts: resolves a name, changes it, resolves it again.
import { writeFileSync } from 'node:fs';
import { createGuardedLookup } from '../../src/providers/address-policy.ts';

const lookup = createGuardedLookup('p', true);

function resolveName(): Promise<string> {
  return new Promise((resolve) => {
    lookup('changing.test', {}, (error, address) => resolve(error === null ? String(address) : 'refused'));
  });
}

const found = [await resolveName()];
for (const address of ['127.0.0.1', '169.254.169.254']) {
  writeFileSync(process.argv[2] ?? '', `${address} changing.test\n`);
  found.push(await resolveName());
}
console.log(found.join(' '));
