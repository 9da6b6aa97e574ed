/** The lines of test/fixtures/model/token_lines.py, drawn again. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const parts = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "fixtures", "model", "token-lines.json"), "utf8"),
) as Readonly<Record<"words" | "pieces" | "special" | "spaces", readonly string[]>> & {
  readonly ranges: readonly (readonly [first: number, last: number])[];
};

export function tokenLines(seed: number, count: number): string[] {
  let state = seed;
  const draw = (limit: number): number => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return (state >>> 8) % limit;
  };
  const oneOf = <T>(list: readonly T[]): T => list[draw(list.length)]!;
  const part = (): string => {
    const kind = draw(12);
    if (kind < 6) return " ".repeat(Number(draw(8) > 0)) + oneOf(parts.words);
    if (kind < 8) return oneOf(parts.pieces);
    if (kind === 8) return oneOf(parts.special);
    if (kind === 9) return oneOf(parts.spaces).repeat(1 + draw(5));
    const [first, last] = oneOf(parts.ranges);
    return times(1 + draw(4), () => String.fromCodePoint(first + draw(last - first + 1)));
  };
  return Array.from({ length: count }, () => times(1 + draw(16), part));
}

function times(count: number, make: () => string): string {
  return Array.from({ length: count }, make).join("");
}
