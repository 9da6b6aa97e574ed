/**
 * Formulas as text, such as `base + sum(weight * (expert - base))`: definitions of names, each on a line of its own, and behind
 * them what the merge is. `>` and `<` give 1 where they hold and else 0, and `first` is the first expert.
 */
import { UserError } from "../errors.ts";
import {
  eachExpert,
  firstExpert,
  type Formula,
  isPositive,
  magnitude,
  minus,
  number,
  plus,
  product,
  quotient,
  sumOverExperts,
  theBase,
  times,
  withName,
} from "./formula.ts";
import { type FormulaToken, formulaTokens, placeInFormula } from "./formula-tokens.ts";
import type { ParameterSpec } from "./method.ts";

/** Parentheses within each other; their parsing takes the stack's memory. */
const MAX_DEPTH = 50;
/** Operations, those of a definition wherever its name stands: whoever goes through a formula meets them all. */
const MAX_SIZE = 1000;

/** Words with a meaning of their own, which nothing else may be called. */
export const formulaWords: ReadonlySet<string> = new Set(["base", "expert", "first", "sum", "abs"]);

/** A part of a formula, and what decides where it may stand. */
interface Part {
  readonly formula: Formula;
  /** Whether it is another for each expert, so that it stands in a sum. */
  readonly isOfExpert: boolean;
  /** Whether it has elements of a tensor, rather than coefficients alone. */
  readonly hasTensor: boolean;
  readonly size: number;
}

type FormulaParameters = readonly Pick<ParameterSpec, "name" | "per">[];

/** The formula that a text means, whose coefficients are these parameters, all of them; a UserError at the first fault. */
export function parseFormula(text: string, parameters: FormulaParameters): Formula {
  return new FormulaParser(text, parameters).parse();
}

class FormulaParser {
  readonly #text: string;
  readonly #parameters: ReadonlyMap<string, ParameterSpec["per"]>;
  readonly #definitions = new Map<string, Part>();
  readonly #unused = new Set<string>();
  #tokens: readonly FormulaToken[] = [];
  #next = 0;
  #depth = 0;

  constructor(text: string, parameters: FormulaParameters) {
    this.#text = text;
    this.#parameters = new Map(parameters.map(({ name, per }) => [name, per]));
    for (const { name } of parameters) this.#unused.add(name);
  }

  parse(): Formula {
    const statements = formulaTokens(this.#text);
    for (const [i, tokens] of statements.entries()) {
      [this.#tokens, this.#next] = [tokens, 0];
      if (i < statements.length - 1) this.#define();
      else return this.#result();
    }
    throw new UserError(
      "the formula: expected what the merge is, such as base + sum(weight * (expert - base)), found none",
    );
  }

  #define(): void {
    const name = this.#take();
    if (name.kind !== "word" || !this.#accept("="))
      this.#refuse(name, "a name, =, and what it stands for, as the merge is the last line");
    if (formulaWords.has(name.text) || this.#parameters.has(name.text) || this.#definitions.has(name.text))
      this.#refuse(name, "a name that nothing else has");
    const part = this.#whole();
    const isNumber = valueOf(part.formula) !== undefined;
    this.#definitions.set(name.text, isNumber ? part : { ...part, formula: withName(name.text, part.formula) });
    this.#unused.add(name.text);
  }

  #result(): Formula {
    const [first] = this.#tokens;
    const { formula, isOfExpert, hasTensor } = this.#whole();
    if (isOfExpert && first) this.#refuse(first, "the merge, with what each expert has of its own inside of sum(...)");
    if (!hasTensor && first) this.#refuse(first, "the merge, with base or experts in it");
    const [unused] = this.#unused;
    if (unused !== undefined)
      throw new UserError(`the formula: expected all that is named to have a part in it, found ${unused} in no place`);
    return formula;
  }

  #whole(): Part {
    const part = this.#comparison();
    const rest = this.#take();
    if (rest.kind !== "end") this.#refuse(rest, "an operation, or the end of the line");
    return part;
  }

  #comparison(): Part {
    const x = this.#terms();
    const sign = this.#accept(">", "<");
    if (!sign) return x;
    const y = this.#terms();
    const [more, less] = sign.text === ">" ? [x, y] : [y, x];
    const difference = valueOf(less.formula) === 0 ? more : this.#join(sign, "-", more, less);
    const value = valueOf(difference.formula);
    return value === undefined
      ? this.#made(sign, [difference], isPositive(difference.formula))
      : numberPart(value > 0 ? 1 : 0);
  }

  #terms(): Part {
    let part = this.#factors();
    for (let sign = this.#accept("+", "-"); sign; sign = this.#accept("+", "-"))
      part = this.#join(sign, sign.text, part, this.#factors());
    return part;
  }

  #factors(): Part {
    let part = this.#factor();
    for (let sign = this.#accept("*", "/"); sign; sign = this.#accept("*", "/"))
      part = this.#join(sign, sign.text, part, this.#factor());
    return part;
  }

  #factor(): Part {
    const token = this.#take();
    if (token.text === "-") return this.#join(token, "*", this.#factor(), numberPart(-1));
    if (token.text === "(") return this.#inParentheses();
    if (token.kind === "number") return this.#number(token, Number(token.text));
    if (token.kind !== "word") this.#refuse(token, "a name, a number or (");
    if (token.text === "sum" || token.text === "abs") {
      this.#expect("(");
      const part = this.#inParentheses();
      const value = valueOf(part.formula);
      if (token.text === "abs")
        return value === undefined ? this.#made(token, [part], magnitude(part.formula)) : numberPart(Math.abs(value));
      if (!part.isOfExpert) this.#refuse(token, "a sum of what each expert has of its own");
      return { ...this.#made(token, [part], sumOverExperts(part.formula)), isOfExpert: false };
    }
    return this.#named(token);
  }

  #inParentheses(): Part {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#refuse(this.#take(), `at most ${MAX_DEPTH} parentheses within each other`);
    const part = this.#comparison();
    this.#expect(")");
    this.#depth -= 1;
    return part;
  }

  #named(token: FormulaToken): Part {
    const { text } = token;
    this.#unused.delete(text);
    const tensor = { hasTensor: true, isOfExpert: false, size: 1 };
    if (text === "base") return { ...tensor, formula: theBase };
    if (text === "first") return { ...tensor, formula: firstExpert };
    if (text === "expert") return { ...tensor, formula: eachExpert, isOfExpert: true };
    const per = this.#parameters.get(text);
    // Everywhere as a factor, by which a derivative reaches it.
    if (per) return { formula: times(number(1), text), hasTensor: false, isOfExpert: per === "expert", size: 1 };
    const known = [...formulaWords, ...this.#parameters.keys(), ...this.#definitions.keys()];
    return this.#definitions.get(text) ?? this.#refuse(token, `one of ${known.join(", ")}`);
  }

  #join(sign: FormulaToken, op: string, x: Part, y: Part): Part {
    const [one, other] = [valueOf(x.formula), valueOf(y.formula)];
    if (one !== undefined && other !== undefined) return this.#number(sign, arithmetic[op]?.(one, other));
    if (op === "/" && y.hasTensor && !x.hasTensor)
      this.#refuse(sign, "base or experts in what is divided by something with base or experts in it");
    const [left, right] = [coefficientOf(x.formula), coefficientOf(y.formula)];
    if (op === "*" && right !== undefined) return this.#made(sign, [x, y], times(x.formula, right));
    if (op === "*" && left !== undefined) return this.#made(sign, [x, y], times(y.formula, left));
    const join = { "+": plus, "-": minus, "*": product, "/": quotient }[op] ?? plus;
    return this.#made(sign, [x, y], join(x.formula, y.formula));
  }

  /** A constant is of f32, as all that is computed with it. */
  #number(token: FormulaToken, value = Number.NaN): Part {
    const rounded = Math.fround(value);
    return Number.isFinite(rounded) ? numberPart(rounded) : this.#refuse(token, "a number of f32");
  }

  #made(token: FormulaToken, parts: readonly Part[], formula: Formula): Part {
    const size = parts.reduce((sum, part) => sum + part.size, 1);
    if (size > MAX_SIZE) this.#refuse(token, `at most ${MAX_SIZE} operations, those of a name wherever it stands`);
    return {
      formula,
      size,
      isOfExpert: parts.some((part) => part.isOfExpert),
      hasTensor: parts.some((part) => part.hasTensor),
    };
  }

  #take(): FormulaToken {
    const token = this.#tokens[this.#next++];
    if (!token) throw new Error("formula: read beyond its end");
    return token;
  }

  #accept(...signs: readonly string[]): FormulaToken | undefined {
    const token = this.#tokens[this.#next];
    if (token?.kind !== "sign" || !signs.includes(token.text)) return undefined;
    return this.#take();
  }

  #expect(sign: string): void {
    const token = this.#take();
    if (token.text !== sign || token.kind !== "sign") this.#refuse(token, sign);
  }

  #refuse({ kind, text, at }: FormulaToken, expected: string): never {
    const found = kind === "end" ? "the end of the line" : JSON.stringify(text);
    throw new UserError(`the formula: ${placeInFormula(this.#text, at)}: expected ${expected}, found ${found}`);
  }
}

/** Of f32, whose sums and products of f64 are rounded once more to what f32 makes of them. */
const arithmetic: Readonly<Record<string, (x: number, y: number) => number>> = {
  "+": (x, y) => x + y,
  "-": (x, y) => x - y,
  "*": (x, y) => x * y,
  "/": (x, y) => x / y,
};

function numberPart(value: number): Part {
  return { formula: number(value), isOfExpert: false, hasTensor: false, size: 1 };
}

function valueOf(formula: Formula): number | undefined {
  return formula.op === "number" && typeof formula.value === "number" ? formula.value : undefined;
}

/** The name of a coefficient, where a formula is one. */
function coefficientOf(formula: Formula): string | undefined {
  return formula.op === "times" && valueOf(formula.x) === 1 ? formula.parameter : undefined;
}
