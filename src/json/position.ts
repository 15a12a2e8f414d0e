/** The way to a value: member names from the outside in, `*` for any element of an array. */
export type JsonPath = readonly string[];

/**
 * Where in a JSON text its reader is: the arrays and objects that are open, and the latest member name in each object.
 */
export class JsonPosition {
  /** True if a string that begins here is a member's name. */
  isAtName = false;
  /** Outermost first: true for an object. */
  readonly #open: boolean[] = [];
  readonly #names: string[] = [];

  /** How many arrays and objects are open. */
  get depth(): number {
    return this.#open.length;
  }

  enter(isObject: boolean): void {
    this.#names[this.#open.push(isObject) - 1] = '';
    this.isAtName = isObject;
  }

  /** False if nothing was open. */
  leave(): boolean {
    this.isAtName = false;
    return this.#open.pop() !== undefined;
  }

  passComma(): void {
    this.isAtName = this.#open.at(-1) === true;
  }

  /** The name of the member whose value comes next. */
  setName(name: string): void {
    this.#names[this.#open.length - 1] = name;
  }

  /** True if a value that begins here is at the end of a path. */
  isAt(path: JsonPath): boolean {
    return !this.isAtName && path.length === this.depth && this.#follows(path, path.length);
  }

  /** True if a member of the innermost object may be a step of a path. */
  isNameOn(path: JsonPath): boolean {
    return this.isAtName && path.length >= this.depth && this.#follows(path, this.depth - 1);
  }

  #follows(path: JsonPath, count: number): boolean {
    for (let at = 0; at < count; at++) {
      const isElement = path[at] === '*';
      if (this.#open[at] === isElement || !(isElement || this.#names[at] === path[at])) return false;
    }
    return true;
  }
}
