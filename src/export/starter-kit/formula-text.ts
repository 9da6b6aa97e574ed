/** What a merge method computes, as the body of a Python function of a tensor's `name`, `group` and `layer`. */
import { BASE } from "../../experiment/the-base.ts";
import { asFactor, type Formula, isOfExpert, operandsOf, partsOf } from "../../merge/formula.ts";
import type { ParameterSpec } from "../../merge/method.ts";
import { type FormulaNames, pythonNames } from "./formula-names.ts";
import { pythonString } from "./python-literal.ts";

const LONGEST_LINE = 120;

interface Method {
  readonly formula: Formula;
  readonly parameters: readonly Pick<ParameterSpec, "name" | "per">[];
}

/** What loops over the experts go through: lists of pairs of expert and coefficient, and of named parts of the formula. */
interface ExpertLoop {
  readonly variable: string;
  readonly list: string;
  readonly hasExpert: boolean;
}

/** The statements, each on lines of its own; `place` is what coefficients are found by beside their parameter. */
export function formulaBody({ formula, parameters }: Method, place = "group, layer"): string {
  const parts = partsOf(formula);
  const namedParts = namedIn(formula);
  const names = pythonNames(parameters, namedParts);
  // What is gone through twice must be a list.
  const isOfEach = (part: Formula): boolean => isOfExpert(part, names.shared);
  const isRepeated = parts.filter(({ op }) => op === "sum").length + namedParts.filter(isOfEach).length > 1;
  const coefficients = parameters.map(({ name, per }) => {
    const values = `coefficients(${pythonString(name)}, ${place})`;
    if (per === "model") return `${names.one(name)} = next(${values})[1]`;
    return `${names.list(name)} = ${isRepeated ? `list(${values})` : values}`;
  });
  const read = (op: Formula["op"], name: string, model: string): string[] =>
    parts.some((part) => part.op === op) ? [`${name} = models[${model}].read(name).float()`] : [];
  const origins = [...read("base", "base", pythonString(BASE)), ...read("first expert", "first", "MERGED[0]")];
  const named = namedParts.map((part) => {
    const text = pythonOf(part.x, names);
    if (!isOfEach(part)) return `${names.one(part.name)} = ${text}`;
    return `${names.list(part.name)} = [\n        ${text}\n        ${overExperts(part.x, names)}\n    ]`;
  });
  const [inOneLine, inSeveral] = [false, true].map((isBroken) => `return ${pythonOf(formula, names, isBroken)}`) as [
    string,
    string,
  ];
  const result = 4 + inOneLine.length <= LONGEST_LINE ? inOneLine : inSeveral;
  return [...coefficients, ...origins, ...named, result].map((line) => `    ${line}\n`).join("");
}

/** The operations of mergeTensor, in their order; `isBroken` tells whether sums take several lines. */
function pythonOf(formula: Formula, names: FormulaNames, isBroken = false): string {
  const textOf = (part: Formula): string => pythonOf(part, names, isBroken);
  switch (formula.op) {
    case "base":
      return "base";
    case "first expert":
      return "first";
    case "expert":
      return "models[expert].read(name).float()";
    case "leaf":
      return `${formula.name}(name, expert, models[expert].read(name).float(), base)`;
    case "number":
      return typeof formula.value === "number" ? pythonFloat(formula.value) : names.one(formula.value);
    case "plus":
      return `${textOf(formula.x)} + ${asFactor(formula.y, textOf)}`;
    case "minus":
      return `${textOf(formula.x)} - ${asFactor(formula.y, textOf)}`;
    case "product":
      return `${asFactor(formula.x, textOf)} * ${asDivisor(formula.y, textOf)}`;
    case "quotient":
      return `${asDividend(formula.x, textOf)} / ${asDivisor(formula.y, textOf)}`;
    case "magnitude":
      return `(${textOf(formula.x)}).abs()`;
    case "isPositive":
      return `(${textOf(formula.x)} > 0).float()`;
    case "times":
      return `${asFactor(formula.x, textOf)} * ${names.one(formula.parameter)}`;
    case "sum": {
      const terms = `torch.add, (${asFactor(formula.of, textOf)} ${overExperts(formula.of, names)})`;
      return isBroken ? `functools.reduce(\n        ${terms}\n    )` : `functools.reduce(${terms})`;
    }
    case "named":
      return names.one(formula.name);
    default:
      return formula satisfies never;
  }
}

/** The clause that goes through the experts with what of a formula is another for each. */
function overExperts(formula: Formula, names: FormulaNames): string {
  const loops = [...new Map(loopsIn(formula, names).map((loop) => [loop.list, loop])).values()];
  const needsExpert = namedApart(formula).some(({ op }) => op === "expert" || op === "leaf");
  if (!loops.some(({ hasExpert }) => hasExpert) && needsExpert) {
    loops.unshift({ variable: "expert", list: "MERGED", hasExpert: false });
  }
  const first = loops.find(({ hasExpert }) => hasExpert);
  const [only] = loops;
  if (loops.length === 1 && only) {
    return `for ${only.hasExpert ? `expert, ${only.variable}` : only.variable} in ${only.list}`;
  }
  const pairs = loops.map((loop) =>
    loop.hasExpert ? `(${loop === first ? "expert" : "_"}, ${loop.variable})` : loop.variable,
  );
  return `for ${pairs.join(", ")} in zip(${loops.map(({ list }) => list).join(", ")})`;
}

function loopsIn(formula: Formula, names: FormulaNames): ExpertLoop[] {
  return namedApart(formula).flatMap((part): ExpertLoop[] => {
    const name = part.op === "times" ? part.parameter : part.op === "number" ? part.value : undefined;
    if (typeof name === "string" && !names.shared.includes(name)) {
      return [{ variable: names.one(name), list: names.list(name), hasExpert: true }];
    }
    if (part.op !== "named" || !isOfExpert(part, names.shared)) return [];
    return [{ variable: names.one(part.name), list: names.list(part.name), hasExpert: false }];
  });
}

/** The parts that have a name, each once and behind those that it is made of. */
function namedIn(formula: Formula): readonly Extract<Formula, { op: "named" }>[] {
  const inside = operandsOf(formula).flatMap(namedIn);
  return [...new Set(formula.op === "named" ? [...inside, formula] : inside)];
}

/** The parts of a formula but for those of its sums, which have loops of their own, and of what has a name. */
function namedApart(formula: Formula): readonly Formula[] {
  const isApart = formula.op === "named" || formula.op === "sum";
  return [formula, ...(isApart ? [] : operandsOf(formula).flatMap(namedApart))];
}

/** A text that keeps together behind a sign of a product. */
function asDivisor(formula: Formula, textOf: (formula: Formula) => string): string {
  const isBroken = ["product", "quotient", "times"].includes(formula.op);
  return isBroken ? `(${textOf(formula)})` : asFactor(formula, textOf);
}

/** PyTorch divides a number of Python's by a tensor in two steps, of which each is rounded. */
function asDividend(formula: Formula, textOf: (formula: Formula) => string): string {
  const isOfPython = formula.op === "number" && typeof formula.value === "number";
  return isOfPython ? `torch.tensor(${textOf(formula)}, dtype=torch.float32)` : asFactor(formula, textOf);
}

/** The shortest decimal of a number of f32, which Python reads back to its last bit. */
function pythonFloat(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
