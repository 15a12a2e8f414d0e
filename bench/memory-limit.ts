import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** cgroup version 1 has one hierarchy per resource (https://docs.kernel.org/admin-guide/cgroup-v1/memory.html), version 2 has one for all. */
const HIERARCHIES = [
  { folder: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' },
  { folder: '/sys/fs/cgroup', limit: 'memory.max' },
];

/**
 * Limits the memory of a running process. The kernel kills a process that exceeds the limit.
 * @returns false if the machine does not allow it.
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
      // No permission, or no such hierarchy.
    }
  }
  return false;
}
