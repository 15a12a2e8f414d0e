import { readFile } from 'node:fs/promises';
import { errorCode } from './file-ops.ts';

/**
 * What distinguishes a process from all others that had its number: the start of the machine and of the process, from
 * Linux's `/proc` (proc_pid_stat(5), field 22). null: there is no such process, or the system has no `/proc`.
 */
export async function processIdentity(pid: number): Promise<string | null> {
  try {
    const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'latin1');
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The second field is the name, in parentheses, and may itself hold spaces and parentheses.
    const startTicks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${bootId.trim()} ${startTicks}`;
  } catch {
    return null;
  }
}

/** True if another process with this number runs. */
export function isOtherProcess(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
