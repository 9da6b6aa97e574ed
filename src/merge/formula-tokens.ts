/** The words and signs of a formula that is written as text. */

/** A word, a number or a sign, or the end of a statement, which is no character. */
export interface FormulaToken {
  readonly kind: "word" | "number" | "sign" | "end";
  readonly text: string;
  /** Of its first character in the text. */
  readonly at: number;
}

const TOKEN =
  /(?<word>[A-Za-z_]\w*)|(?<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?<sign>[-+*/<>=()])|(?<end>[;\n])|[ \t\r]+|(?<stray>[^])/gu;

/** Its statements, which end with a line or `;` where no parenthesis is open; a character of no token is a sign. */
export function formulaTokens(text: string): readonly (readonly FormulaToken[])[] {
  const statements: FormulaToken[][] = [[]];
  let depth = 0;
  const add = (kind: FormulaToken["kind"], own: string, at: number): void =>
    void statements.at(-1)?.push({ kind, text: own, at });
  for (const { index, groups: { word, number, sign, end, stray } = {} } of text.matchAll(TOKEN)) {
    depth += sign === "(" ? 1 : sign === ")" ? -1 : 0;
    if (word !== undefined) add("word", word, index);
    else if (number !== undefined) add("number", number, index);
    else if (sign !== undefined || stray !== undefined) add("sign", sign ?? stray ?? "", index);
    else if (end !== undefined && depth <= 0) {
      add("end", "", index);
      statements.push([]);
    }
  }
  add("end", "", text.length);
  return statements.filter(({ length }) => length > 1);
}

/** Such as `line 2, column 7`. */
export function placeInFormula(text: string, at: number): string {
  const lines = text.slice(0, at).split("\n");
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}
