/** Lines of PTX, and the registers and parameters that they name. */

/** By the letter that their names begin with: floats, halves, words of 32 and 64 bits, and conditions. */
const REGISTERS = { f: ".f32", h: ".b16", r: ".b32", d: ".b64", p: ".pred" } as const;
export type RegisterKind = keyof typeof REGISTERS;

/** The text of one kernel while it is written. */
export class PtxText {
  readonly #lines: string[] = [];
  readonly #parameters: string[] = [];
  readonly #counts = new Map<RegisterKind, number>();

  /** One more parameter behind the others: the register that has it. */
  parameter(type: "u64" | "f32"): string {
    const name = `p${this.#parameters.length}`;
    this.#parameters.push(`.param .${type} ${name}`);
    return this.make(type === "f32" ? "f" : "d", `ld.param.${type}`, `[${name}]`);
  }

  add(line: string): void {
    this.#lines.push(line);
  }

  /** A register that nothing was written to yet. */
  register(kind: RegisterKind): string {
    const count = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, count + 1);
    return `%${kind}${count}`;
  }

  /** An instruction whose first operand is its result: a new register, which is returned. */
  make(kind: RegisterKind, instruction: string, ...operands: readonly (string | number)[]): string {
    const made = this.register(kind);
    this.add(`${instruction} ${[made, ...operands].join(", ")};`);
    return made;
  }

  asKernel(name: string): string {
    const registers = Array.from(this.#counts, ([kind, count]) => `.reg ${REGISTERS[kind]} %${kind}<${count}>;`);
    const body = [...registers, ...this.#lines].map((line) => (line.endsWith(":") ? line : `  ${line}`));
    return [`.visible .entry ${name}(`, `  ${this.#parameters.join(",\n  ")}`, ")", "{", ...body, "}", ""].join("\n");
  }
}
