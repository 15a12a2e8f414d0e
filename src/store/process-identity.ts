import { readFile, readlink } from 'node:fs/promises';
import { uptime } from 'node:os';
import { errorCode } from './file-ops.ts';

/** What tells one process from all others that ever had its number; null where the system does not say. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between the machine's start and the process's. */
  readonly startTime: string | null;
  /** Changes with each start of the machine. */
  readonly bootId: string;
  /** In which world of process numbers `pid` counts (containers have one each). */
  readonly pidNamespace: string | null;
}

/** Two guesses of when the machine started are the same if they differ by less. */
const BOOT_GUESS_TOLERANCE_MS = 120_000;

/** The identity of this process. */
export async function identifyProcess(): Promise<ProcessIdentity> {
  const startTime = await startTimeOf(process.pid);
  return {
    pid: process.pid,
    startTime: startTime === 'unknown' ? null : startTime,
    bootId: (await readText('/proc/sys/kernel/random/boot_id')) ?? `~${Date.now() - uptime() * 1000}`,
    pidNamespace: await readlink('/proc/self/ns/pid').catch(() => null),
  };
}

/** True where two boot ids are of the same run of the machine. */
export function isSameBoot(one: string, other: string): boolean {
  if (!one.startsWith('~') || !other.startsWith('~')) return one === other;
  return Math.abs(Number(one.slice(1)) - Number(other.slice(1))) < BOOT_GUESS_TOLERANCE_MS;
}

/**
 * When a process was started, from Linux's `/proc/PID/stat` (field 22, proc_pid_stat(5)); null: there is no such
 * process; `unknown`: there is one, but the system does not say since when.
 */
export async function startTimeOf(pid: number): Promise<string | null> {
  const stat = await readText(`/proc/${pid}/stat`);
  // The second field is the name, in parentheses, and may itself hold spaces and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[19] ?? (isProcess(pid) ? 'unknown' : null);
}

function isProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

async function readText(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'latin1')).trim();
  } catch {
    return null;
  }
}
