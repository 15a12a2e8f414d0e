import { after } from 'node:test';
import { type FileOps, nodeFileOps, type OpenFile } from '../../src/store/file-ops.ts';

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
  const open = new Set<OpenFile>();
  after(() => Promise.all(Array.from(open, (file) => file.close())));
  const wrap = (file: OpenFile, name: string): OpenFile => ({
    write: (bytes, offset, position) =>
      call(
        `${name}.write`,
        () => file.write(bytes, offset, position),
        () => file.write(bytes.subarray(0, Math.floor(bytes.length / 2)), offset, position),
      ),
    read: (limitBytes) => call(`${name}.read`, () => file.read(limitBytes)),
    chmod: (mode) => call(`${name}.chmod`, () => file.chmod(mode)),
    truncate: (sizeBytes) => call(`${name}.truncate`, () => file.truncate(sizeBytes)),
    sync: () => call(`${name}.sync`, () => file.sync()),
    facts: () => call(`${name}.facts`, () => file.facts()),
    // A file is closed even where that is reported to have failed.
    close: () =>
      call(
        `${name}.close`,
        () => file.close(),
        () => file.close(),
      ),
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
    facts: (path) => call('facts', () => nodeFileOps.facts(path)),
    list: (folder) => call('list', () => nodeFileOps.list(folder)),
  };
}
