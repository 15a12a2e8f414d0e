import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import type { TestContext } from 'node:test';

/** Lets a host's name lead to this machine, until the test ends. */
export function resolveToThisMachine(t: TestContext, host: string): void {
  const real = dns.lookup;
  t.mock.method(dns, 'lookup', (...args: Parameters<typeof dns.lookup>) => {
    real(...([args[0] === host ? '127.0.0.1' : args[0], ...args.slice(1)] as Parameters<typeof dns.lookup>));
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
}
