/** Sets of things that pairs connect. Pure. */

export class Components {
  readonly #parents: number[];

  constructor(size: number) {
    this.#parents = Array.from({ length: size }, (_, index) => index);
  }

  connect(a: number, b: number): void {
    const [first, second] = [this.#rootOf(a), this.#rootOf(b)];
    this.#parents[Math.max(first, second)] = Math.min(first, second);
  }

  /** Each component in ascending order, by its first member. */
  list(): number[][] {
    const members = new Map<number, number[]>();
    this.#parents.forEach((_, index) => {
      const root = this.#rootOf(index);
      const known = members.get(root);
      if (known === undefined) members.set(root, [index]);
      else known.push(index);
    });
    return [...members.values()];
  }

  #rootOf(member: number): number {
    let root = member;
    while (this.#parents[root] !== root) {
      const parent = this.#parents[root] as number;
      this.#parents[root] = this.#parents[parent] as number;
      root = this.#parents[root] as number;
    }
    return root;
  }
}
