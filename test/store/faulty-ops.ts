import type { FileHandle } from 'node:fs/promises';
import { after } from 'node:test';
import { type FileOps, nodeFileOps } from '../../src/store/file-ops.ts';

/** What happens at one of the calls. */
export interface Fault {
  /** The call at which it begins, from 1. */
  readonly at: number;
  /** `once`: that call fails. `lasting`: it and all after it fail. `death`: nothing is done any more, ever. */
  readonly kind: 'once' | 'lasting' | 'death';
  readonly code: string;
  /** For a write that dies or fails: whether half of the bytes reach the file first. */
  readonly torn?: boolean;
}

export interface FaultyOps extends FileOps {
  /** The calls since the last `arm`, by name. */
  readonly calls: string[];
  /** Starts counting anew; null: all goes well. */
  arm(fault: Fault | null): void;
}

/** A file system whose n-th call fails, or after whose n-th call the process is as good as dead. */
export function createFaultyOps(options: { readonly renameCode?: string } = {}): FaultyOps {
  const calls: string[] = [];
  let fault: Fault | null = null;

  const isHit = (name: string): boolean => {
    calls.push(name);
    if (fault === null || calls.length < fault.at) return false;
    return fault.kind !== 'once' || calls.length === fault.at;
  };
  const call = async <T>(name: string, work: () => Promise<T>, half?: () => Promise<unknown>): Promise<T> => {
    if (!isHit(name)) return await work();
    if (fault?.torn === true && calls.length === fault.at) await half?.();
    if (fault?.kind === 'death') return await new Promise<never>(() => {});
    throw Object.assign(new Error(`injected ${fault?.code}`), { code: fault?.code });
  };
  const open = new Set<FileHandle>();
  after(() => Promise.all(Array.from(open, (file) => file.close())));
  const wrap = (file: FileHandle, name: string): FileHandle =>
    new Proxy(file, {
      get: (_, key) => {
        const method: unknown = Reflect.get(file, key, file);
        if (typeof method !== 'function') return method;
        const work = (...args: unknown[]) => Reflect.apply(method, file, args);
        return (...args: unknown[]) =>
          call(
            `${name}.${String(key)}`,
            () => work(...args),
            () => halfOf(file, String(key), args),
          );
      },
    });
  return {
    calls,
    arm: (next) => {
      calls.length = 0;
      fault = next;
    },
    open: (path, flags, mode) =>
      call(`open ${flags}`, async () => {
        const file = await nodeFileOps.open(path, flags, mode);
        open.add(file);
        return wrap(file, `${flags} file`);
      }),
    rename: (from, to) =>
      call('rename', () => {
        const { renameCode } = options;
        if (renameCode === undefined || !to.endsWith('.db')) return nodeFileOps.rename(from, to);
        return Promise.reject(Object.assign(new Error('mounted'), { code: renameCode }));
      }),
    link: (existing, path) => call('link', () => nodeFileOps.link(existing, path)),
    unlink: (path) => call('unlink', () => nodeFileOps.unlink(path)),
    stat: (path) => call('stat', () => nodeFileOps.stat(path)),
    list: (folder) => call('list', () => nodeFileOps.list(folder)),
  };
}

/** What a call does before it fails or dies half-way. */
async function halfOf(
  file: FileHandle,
  method: string,
  [bytes, offset, length, position]: unknown[],
): Promise<void> {
  if (method === 'write' && bytes instanceof Uint8Array) {
    await file.write(bytes, Number(offset), Math.floor(Number(length) / 2), Number(position));
  }
  // A file is closed even where that is reported to have failed.
  if (method === 'close') await file.close();
}
