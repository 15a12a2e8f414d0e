/** A map by text that forgets what was set longest ago once it is full. Setting a name again makes it the newest. */
export class BoundedMap<V> extends Map<string, V> {
  readonly limit: number;

  constructor(limit: number, initial: Iterable<readonly [string, V]> = []) {
    super();
    this.limit = limit;
    for (const [name, value] of initial) this.set(name, value);
  }

  override set(name: string, value: V): this {
    this.delete(name);
    super.set(name, value);
    for (const oldest of this.keys()) {
      if (this.size <= this.limit) break;
      this.delete(oldest);
    }
    return this;
  }
}
