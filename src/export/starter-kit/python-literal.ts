/** Plain data that has a Python literal; numbers are floats. */
export type PythonData = string | number | readonly number[] | { readonly [key: string]: PythonData };

/** Numbers of a list on one line. */
const PER_LINE = 4;

/**
 * Data as ASCII Python source, dictionaries and lists over several lines, the first of which begins at `indent` spaces.
 * A float is read by Python as the very same double.
 */
export function pythonLiteral(data: PythonData, indent = 0): string {
  if (typeof data === "string") return pythonString(data);
  if (typeof data === "number") return pythonFloat(data);
  const items = isList(data)
    ? Array.from({ length: Math.ceil(data.length / PER_LINE) }, (_, i) =>
        data
          .slice(i * PER_LINE, (i + 1) * PER_LINE)
          .map(pythonFloat)
          .join(", "),
      )
    : Object.entries(data).map(([key, value]) => `${pythonString(key)}: ${pythonLiteral(value, indent + 4)}`);
  const [open, close] = isList(data) ? "[]" : "{}";
  if (items.length === 0) return `${open}${close}`;
  const lines = items.map((item) => `${" ".repeat(indent + 4)}${item},\n`).join("");
  return `${open}\n${lines}${" ".repeat(indent)}${close}`;
}

/** A string literal. */
export function pythonString(text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/g, (character) => `\\u${hex(character)}`);
}

function pythonFloat(value: number): string {
  if (!Number.isFinite(value)) throw new Error(`python: ${value} has no literal`);
  const digits = Object.is(value, -0) ? "-0" : String(value);
  return /[.e]/.test(digits) ? digits : `${digits}.0`;
}

function isList(data: PythonData): data is readonly number[] {
  return Array.isArray(data);
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(4, "0");
}
