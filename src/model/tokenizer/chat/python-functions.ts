/** What templates do otherwise in Jinja than in their interpreter here, as functions of its values. */
import { pythonDate } from "./python-dates.ts";
import { pythonStrip, strips } from "./python-strips.ts";
import { pythonEqual, pythonText, type TemplateValue } from "./python-values.ts";

export interface PythonFunction {
  /** The names by which a template may give the arguments behind the first. */
  readonly options: readonly string[];
  readonly compute: (first: TemplateValue, ...options: readonly TemplateValue[]) => string | boolean | number;
}

/** Operators between two values. */
const operators: Readonly<Record<string, PythonFunction>> = {
  "==": between(pythonEqual),
  "!=": between((x, y) => !pythonEqual(x, y)),
  "~": between((x, y) => pythonText(x) + pythonText(y)),
  // Of the divisor's sign.
  "%": between((x, y) => {
    const [left, right] = [wholeOf(x), wholeOf(y)];
    if (right === 0) throw new Error("modulo by zero");
    return left - right * Math.floor(left / right);
  }),
};

/** Filters by their names in templates. */
const filters: Readonly<Record<string, PythonFunction>> = {
  trim: { options: ["chars"], compute: (text, characters) => pythonStrip("strip", textOf(text), characters?.value) },
  // As Jinja has it: what stands behind brackets, hyphens and white space begins a word.
  title: onText((text) => text.replaceAll(/[^-\s({[<]+/gu, capitalized)),
  capitalize: onText(capitalized),
  string: { options: [], compute: (value) => pythonText(value) },
  length: { options: [], compute: lengthOf },
  count: { options: [], compute: lengthOf },
  join: { options: ["d", "attribute"], compute: joinedTexts },
};

/** Methods by their names in templates. */
const methods: Readonly<Record<string, PythonFunction>> = {
  ...Object.fromEntries(
    strips.map((name): [string, PythonFunction] => [
      name,
      { options: ["chars"], compute: (text, characters) => pythonStrip(name, textOf(text), characters?.value) },
    ]),
  ),
  title: onText((text) => text.replaceAll(/\p{L}+/gu, capitalized)),
  capitalize: onText(capitalized),
};

/** Functions that stand alone. */
const functions: Readonly<Record<string, PythonFunction>> = {
  strftime_now: { options: [], compute: (format) => pythonDate(new Date(), textOf(format)) },
};

/** By what they are called as in templates, then by their names there. */
export const pythonTables = {
  operator: operators,
  filter: filters,
  method: methods,
  function: functions,
  // What stands as an expression among texts.
  print: { value: { options: [], compute: (value) => pythonText(value) } },
} satisfies Readonly<Record<string, Readonly<Record<string, PythonFunction>>>>;

function between(compute: (x: TemplateValue, y: TemplateValue) => string | boolean | number): PythonFunction {
  return { options: ["other"], compute: (x, y) => compute(x, y) };
}

function onText(compute: (text: string) => string): PythonFunction {
  return { options: [], compute: (text) => compute(textOf(text)) };
}

function textOf({ type, value }: TemplateValue): string {
  if (typeof value !== "string") throw new Error(`expected a text, found ${type}`);
  return value;
}

function wholeOf({ type, value }: TemplateValue): number {
  if (type !== "IntegerValue") throw new Error(`expected a whole number, found ${type}`);
  return Number(value);
}

function capitalized(text: string): string {
  const [first = "", ...others] = Array.from(text);
  return first.toUpperCase() + others.join("").toLowerCase();
}

/** Characters of a text as Python counts them, elements of a list, keys of a mapping. */
function lengthOf({ type, value }: TemplateValue): number {
  if (typeof value === "string") return Array.from(value).length;
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  throw new Error(`expected what has a length, found ${type}`);
}

function joinedTexts({ type, value }: TemplateValue, separator?: TemplateValue, attribute?: TemplateValue): string {
  const parts = typeof value === "string" ? Array.from(value) : (value as readonly TemplateValue[]);
  if (!Array.isArray(parts)) throw new Error(`expected a list to join, found ${type}`);
  const name = attribute?.value === undefined ? undefined : textOf(attribute);
  const texts = (parts as readonly (string | TemplateValue)[]).map((part) => {
    if (typeof part === "string") return part;
    if (name === undefined) return pythonText(part);
    const own = part.value instanceof Map ? (part.value as ReadonlyMap<string, TemplateValue>).get(name) : undefined;
    return own ? pythonText(own) : "";
  });
  return texts.join(separator ? pythonText(separator) : "");
}
