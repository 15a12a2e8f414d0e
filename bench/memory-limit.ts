import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Version 1 has a hierarchy per resource (https://docs.kernel.org/admin-guide/cgroup-v1/memory.html), version 2 one for all. */
const HIERARCHIES = [
  { folder: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' },
  { folder: '/sys/fs/cgroup', limit: 'memory.max' },
];

/**
 * Puts a running process under a limit of memory, over which the kernel ends it.
 * @returns false where the machine does not let us.
 */
export function limitMemory(pid: number, limitBytes: number): boolean {
  for (const { folder, limit } of HIERARCHIES) {
    const group = join(folder, `ipin-proxy-bench-${limitBytes}`);
    try {
      mkdirSync(group, { recursive: true });
      if (!existsSync(join(group, limit))) continue;
      writeFileSync(join(group, limit), String(limitBytes));
      writeFileSync(join(group, 'cgroup.procs'), String(pid));
      return true;
    } catch {
      // Not ours to set, or no such hierarchy.
    }
  }
  return false;
}
