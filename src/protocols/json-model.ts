import type { BodyTransform } from '../http/body-transform.ts';
import { type JsonRewriter, replaceFirstString } from '../json/rewriter.ts';

/** Puts the id of the requested model into a JSON response of any size: replaces the object's first string `model`. */
export class JsonModelRenamer implements BodyTransform {
  readonly error = null;
  readonly isWhole = false;
  readonly #replacer: JsonRewriter;

  constructor(name: string) {
    this.#replacer = replaceFirstString([['model']], Buffer.from(JSON.stringify(name)));
  }

  push(chunk: Buffer): Buffer {
    const out: Buffer[] = [];
    this.#replacer.push(chunk, out);
    return Buffer.concat(out);
  }

  end(): Buffer {
    const out: Buffer[] = [];
    this.#replacer.end(out);
    return Buffer.concat(out);
  }

  fail(): null {
    return null;
  }

  idle(): null {
    return null;
  }
}
