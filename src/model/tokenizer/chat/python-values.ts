/** Values of the templates' interpreter as Python prints and compares them; the interpreter's own are printed as JSON, and compared by JavaScript's `==`. */

/** A value of the interpreter: lists hold such values, and mappings are Maps to them. */
export interface TemplateValue {
  readonly type: string;
  readonly value: unknown;
}

/** Python's `str`. */
export function pythonText(one: TemplateValue): string {
  return typeof one.value === "string" ? one.value : pythonRepr(one);
}

function pythonRepr({ type, value }: TemplateValue): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return type === "FloatValue" ? floatText(value) : String(value);
  if (type === "NullValue") return "None";
  if (type === "UndefinedValue") return "";
  if (Array.isArray(value)) return listText(type, (value as readonly TemplateValue[]).map(pythonRepr));
  if (!(value instanceof Map))
    throw new Error(`expected a text, a number, a list or a mapping to print, found ${type}`);
  const entries = Array.from(value as Map<string, TemplateValue>, ([key, own]) => `${quoted(key)}: ${pythonRepr(own)}`);
  return `{${entries.join(", ")}}`;
}

function listText(type: string, parts: readonly string[]): string {
  if (type !== "TupleValue") return `[${parts.join(", ")}]`;
  return parts.length === 1 ? `(${parts[0]},)` : `(${parts.join(", ")})`;
}

/** In the quotes that Python takes, with escapes for what cannot be printed. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll(/[\\'"]|[\p{C}\p{Zl}\p{Zp}\p{Zs}]/gu, (character) => {
    if (character === " " || (/['"]/.test(character) && character !== quote)) return character;
    return short[character] ?? (/['"\\]/.test(character) ? `\\${character}` : numbered(character.codePointAt(0) ?? 0));
  });
  return quote + escaped + quote;
}

const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function numbered(code: number): string {
  const hexadecimal = code.toString(16);
  if (code < 0x100) return `\\x${hexadecimal.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hexadecimal.padStart(4, "0")}` : `\\U${hexadecimal.padStart(8, "0")}`;
}

/** The same shortest digits as JavaScript's, with an exponent from 1e16 on and below 1e-4. */
function floatText(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  const size = Math.abs(value);
  if (value !== 0 && (size >= 1e16 || size < 1e-4)) {
    const [digits = "", exponent = ""] = value.toExponential().split("e");
    return `${digits}e${exponent.startsWith("-") ? "-" : "+"}${exponent.slice(1).padStart(2, "0")}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** Python's `==`: numbers and booleans by their value, lists and mappings by what is in them, and no other two types. */
export function pythonEqual(x: TemplateValue, y: TemplateValue): boolean {
  if (isNumber(x.value) && isNumber(y.value)) return Number(x.value) === Number(y.value);
  if (Array.isArray(x.value) && Array.isArray(y.value)) return x.type === y.type && equalLists(x.value, y.value);
  if (x.value instanceof Map && y.value instanceof Map) return equalMaps(x.value, y.value);
  return x.type === y.type && x.value === y.value;
}

function isNumber(value: unknown): value is number | boolean {
  return typeof value === "number" || typeof value === "boolean";
}

function equalLists(x: readonly TemplateValue[], y: readonly TemplateValue[]): boolean {
  return x.length === y.length && x.every((one, i) => y[i] !== undefined && pythonEqual(one, y[i]));
}

function equalMaps(x: ReadonlyMap<string, TemplateValue>, y: ReadonlyMap<string, TemplateValue>): boolean {
  return (
    x.size === y.size &&
    [...x].every(([key, one]) => {
      const other = y.get(key);
      return other !== undefined && pythonEqual(one, other);
    })
  );
}
