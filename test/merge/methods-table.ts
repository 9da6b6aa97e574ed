/** The table of docs/methods.md, made of the declarations. */
import { declarations, methodNames } from "../../src/merge/declarations.ts";
import type { MethodDeclaration, ParameterSpec } from "../../src/merge/method.ts";
import { markdownTable, type Table } from "../../src/report/table.ts";

const HEADER = ["method", "merge", "parameters", "options", "experts", "source"];

/** Headings, rule and rows. */
const TABLE = /^\| method .*\n(?:\|.*\n)+/m;

/** A row for each method, in their order. */
export function methodsTable(): Table {
  return { header: HEADER, rows: methodNames.map((name) => rowOf(declarations[name])) };
}

/** The cells of a document's table of methods, without their padding. */
export function statedMethods(document: string): string[][] {
  const [table = ""] = TABLE.exec(document) ?? [];
  const lines = table.trimEnd().split("\n");
  return lines.filter((_, i) => i !== 1).map((line) => cellsOf(line));
}

/** The document with the table that the declarations make. */
export function withMethods(document: string): string {
  if (!TABLE.test(document)) throw new Error("docs/methods.md: expected a table that begins with | method");
  return document.replace(TABLE, () => `${markdownTable(methodsTable()).replaceAll("---:", "---")}\n`);
}

function cellsOf(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function rowOf(method: MethodDeclaration): string[] {
  const { name, summary, parameters, options = [], experts = { least: 1 }, source } = method;
  const { least, most } = experts;
  const count = least === most ? String(least) : `${least} or more`;
  const numbers = parameters.map(parameterText).join("; ") || "none: a recipe only";
  const settings = options.map((option) => `\`${option.name}\`, ${option.default}`).join("; ");
  return [`\`${name}\``, summary, numbers, settings, count, source];
}

/** Such as `weight` of each, from 0 to 1, at first uniform. */
function parameterText({ name, per, range: [low, high], start }: ParameterSpec): string {
  return `\`${name}\`${per === "expert" ? " of each" : ""}, ${low} to ${high}, at first ${start}`;
}
