/** What a merge method computes, as the body of a Python function of a tensor's `name`, `group` and `layer`. */
import { BASE } from "../../experiment/workspace.ts";
import { asFactor, type Formula, partsOf } from "../../merge/formula.ts";
import type { MethodDeclaration, ParameterSpec } from "../../merge/method.ts";
import { pythonString } from "./python-literal.ts";

const LONGEST_LINE = 120;

interface Method extends Pick<MethodDeclaration, "formula"> {
  readonly parameters: readonly Pick<ParameterSpec, "name" | "per">[];
}

/** The statements, each on lines of its own; `place` is what coefficients are found by beside their parameter. */
export function formulaBody(method: Method, place = "group, layer"): string {
  const parts = partsOf(method.formula);
  // What is gone through twice must be a list.
  const isRepeated = parts.filter(({ op }) => op === "sum").length > 1;
  const coefficients = method.parameters.map(({ name, per }) => {
    const values = `coefficients(${pythonString(name)}, ${place})`;
    if (per === "model") return `${name} = next(${values})[1]`;
    return `${listOf(name)} = ${isRepeated ? `list(${values})` : values}`;
  });
  const read = (op: Formula["op"], name: string, model: string): string[] =>
    parts.some((part) => part.op === op) ? [`${name} = models[${model}].read(name).float()`] : [];
  const [inOneLine, inSeveral] = [false, true].map(
    (isBroken) => `return ${pythonOf(method.formula, method, isBroken)}`,
  ) as [string, string];
  const result = 4 + inOneLine.length <= LONGEST_LINE ? inOneLine : inSeveral;
  const origins = [...read("base", "base", pythonString(BASE)), ...read("first expert", "first", "MERGED[0]")];
  return [...coefficients, ...origins, result].map((line) => `    ${line}\n`).join("");
}

/** The operations of mergeTensor, in their order; `isBroken` tells whether sums take several lines. */
function pythonOf(formula: Formula, method: Method, isBroken: boolean): string {
  const textOf = (part: Formula): string => pythonOf(part, method, isBroken);
  switch (formula.op) {
    case "base":
      return "base";
    case "first expert":
      return "first";
    case "expert":
      return "models[expert].read(name).float()";
    case "plus":
      return `${textOf(formula.x)} + ${asFactor(formula.y, textOf)}`;
    case "minus":
      return `${textOf(formula.x)} - ${asFactor(formula.y, textOf)}`;
    case "times":
      return `${asFactor(formula.x, textOf)} * ${formula.parameter}`;
    case "sum": {
      const terms = `torch.add, (${asFactor(formula.of, textOf)} ${overExperts(method)})`;
      return isBroken ? `functools.reduce(\n        ${terms}\n    )` : `functools.reduce(${terms})`;
    }
    default:
      return formula satisfies never;
  }
}

/** The clause that goes through the experts with their coefficients. */
function overExperts({ parameters }: Method): string {
  const names = parameters.filter(({ per }) => per === "expert").map(({ name }) => name);
  if (names.length === 0) return "for expert in MERGED";
  const [first = "", ...others] = names;
  if (others.length === 0) return `for expert, ${first} in ${listOf(first)}`;
  const pairs = [`(expert, ${first})`, ...others.map((name) => `(_, ${name})`)];
  return `for ${pairs.join(", ")} in zip(${names.map(listOf).join(", ")})`;
}

function listOf(parameter: string): string {
  return `${parameter}s`;
}
