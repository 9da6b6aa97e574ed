import { UserError } from "../errors.ts";

/** A sentence for a tensor that is not what it was, which its line says; undefined where its file has changed. */
export type TensorRefusal = (name: string, found: string) => string | undefined;

/** What the tensors of one checkpoint held when they were first read: a `tensorLine` by name. */
export class KnownTensors {
  readonly #lines = new Map<string, string>();
  readonly #unread = new Set<string>();
  #refusal: TensorRefusal = () => undefined;

  /** By the tensor's name. */
  get lines(): ReadonlyMap<string, string> {
    return this.#lines;
  }

  /** Tensors that are known from an earlier process only. */
  get unread(): ReadonlySet<string> {
    return this.#unread;
  }

  /** Takes over what an earlier process found, and how to speak of a tensor that is another. */
  expect(lines: Iterable<readonly [name: string, line: string]>, refusal?: TensorRefusal): void {
    if (refusal) this.#refusal = refusal;
    for (const [name, line] of lines) {
      this.#lines.set(name, line);
      this.#unread.add(name);
    }
  }

  /** Compares a tensor that was read with what is known of it, or learns it; a UserError when it has changed. */
  meet(path: string, name: string, found: string): void {
    const expected = this.#lines.get(name) ?? found;
    if (found !== expected) {
      throw new UserError(
        this.#refusal(name, found) ??
          `${path}: tensor ${name}: expected ${short(expected)} as when it was first read, found ${short(found)}; restore the file, or start a new run`,
      );
    }
    this.#lines.set(name, found);
    this.#unread.delete(name);
  }
}

/** Enough of a hash to tell two apart. */
function short(line: string): string {
  return line.replace(/\b[0-9a-f]{64}$/, (sha256) => sha256.slice(0, 12));
}
