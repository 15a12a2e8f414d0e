import { Session } from 'node:inspector/promises';
import { setFlagsFromString } from 'node:v8';

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[];
  }[];
}

export interface WorkCounter {
  /** How often the innermost loops of all functions ran, plus the characters that searches looked at. */
  count(work: () => void): Promise<number>;
  stop(): void;
}

/**
 * Counts the work of the modules whose address contains `folder`, the same on every machine: V8 counts how often each block
 * of code runs. Searches run outside of it, so their characters are counted here.
 */
export async function startWorkCounter(folder: string): Promise<WorkCounter> {
  // Optimised code misses some of the counts.
  setFlagsFromString('--no-opt');
  setFlagsFromString('--no-sparkplug');
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return {
    async count(work) {
      await session.post('Profiler.takePreciseCoverage');
      const searched = countSearched(work);
      const { result } = (await session.post('Profiler.takePreciseCoverage')) as Coverage;
      const functions = result
        .filter(({ url }) => url.includes(folder))
        .flatMap((script) => script.functions);
      // V8 leaves out blocks that ran as often as the ones around them, so a sum of all blocks would jump.
      const steps = functions.map(({ ranges }) => Math.max(...ranges.map(({ count }) => count)));
      return steps.reduce((sum, count) => sum + count, searched);
    },
    stop: () => {
      session.disconnect();
      setFlagsFromString('--opt');
      setFlagsFromString('--sparkplug');
    },
  };
}

/** Runs the work; answers how many characters were looked at by `indexOf`, `lastIndexOf` and matches. */
function countSearched(work: () => void): number {
  const { indexOf, lastIndexOf } = String.prototype;
  const { exec } = RegExp.prototype;
  let searched = 0;
  String.prototype.indexOf = function (search, from = 0) {
    const found = indexOf.call(this, search, from);
    searched += (found < 0 ? this.length : found) - Math.min(from, this.length);
    return found;
  };
  String.prototype.lastIndexOf = function (search, from) {
    const start = from ?? this.length;
    const found = lastIndexOf.call(this, search, start);
    searched += start - found;
    return found;
  };
  RegExp.prototype.exec = function (text) {
    const found = Reflect.apply(exec, this, [text]);
    searched += found ? found[0].length : 1;
    return found;
  };
  try {
    work();
  } finally {
    Object.assign(String.prototype, { indexOf, lastIndexOf });
    Object.assign(RegExp.prototype, { exec });
  }
  return searched;
}
