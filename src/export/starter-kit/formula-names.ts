/** What coefficients and named parts of a formula are called in Python, each by itself and as a list of all experts'. */
import type { ParameterSpec } from "../../merge/method.ts";

export interface FormulaNames {
  /** Coefficients that all experts share. */
  readonly shared: readonly string[];
  readonly one: (name: string) => string;
  readonly list: (name: string) => string;
}

/** Words of Python's own, and those that the function around a formula uses. */
const TAKEN =
  `and as assert async await break class continue def del elif else except False finally for from global if import in is
  lambda None nonlocal not or pass raise return True try while with yield
  MERGED base coefficients expert first functools group layer list models name next torch zip _`.split(/\s+/);

/** Names that are theirs alone: those of the formula, with `_` behind what is taken. */
export function pythonNames(
  parameters: readonly Pick<ParameterSpec, "name" | "per">[],
  named: readonly { readonly name: string }[],
): FormulaNames {
  const taken = new Set(TAKEN);
  const free = (wanted: string): string => {
    const name = taken.has(wanted) ? free(`${wanted}_`) : wanted;
    taken.add(name);
    return name;
  };
  const words = [...new Set([...parameters, ...named].map(({ name }) => name))];
  const ones = new Map(words.map((word) => [word, free(word)]));
  const lists = new Map(words.map((word) => [word, free(`${word}s`)]));
  return {
    shared: parameters.filter(({ per }) => per === "model").map(({ name }) => name),
    one: (name) => ones.get(name) ?? name,
    list: (name) => lists.get(name) ?? name,
  };
}
