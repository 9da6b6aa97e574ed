/**
 * Turns a parsed template into one that is Python's where its interpreter is not: what has another meaning there becomes a call of
 * a function of ours, which is given the values themselves, in a list.
 */
import { type PythonFunction, pythonTables } from "./python-functions.ts";
import type { TemplateValue } from "./python-values.ts";
import { identifierLike, nodeLike, type TemplateNode as Node } from "./template-nodes.ts";

type TableName = keyof typeof pythonTables;

/** No template can write such names. */
const nameIn = (table: string, name: string): string => `python ${table} ${name}`;

/** What stands where no argument is, and has no value. */
const NOTHING = "python nothing";

type Values = readonly [first: TemplateValue, ...options: TemplateValue[]];

/** Functions by the names that calls are given by `usePython`. */
export const pythonFunctions: Readonly<Record<string, (values: Values) => unknown>> = Object.fromEntries(
  Object.entries(pythonTables).flatMap(([table, functions]) =>
    Object.entries<PythonFunction>(functions).map(([name, { compute }]) => [
      nameIn(table, name),
      (values: Values) => compute(...values),
    ]),
  ),
);

/** Lists of statements; what is an expression there is printed. */
const BODIES: ReadonlySet<string> = new Set(["body", "alternate", "defaultBlock"]);
const EXPRESSIONS = new Set(
  "Identifier MemberExpression CallExpression IntegerLiteral FloatLiteral ArrayLiteral TupleLiteral ObjectLiteral BinaryExpression FilterExpression SelectExpression TestExpression UnaryExpression Ternary".split(
    " ",
  ),
);

/** Changes a part of a parsed template, and all its parts. */
export function usePython(part: unknown): void {
  if (typeof part !== "object" || part === null) return;
  const parts = part instanceof Map ? [...part].flat() : Object.values(part);
  for (const inner of parts) usePython(inner);
  const node = part as Record<string, unknown>;
  const call = ownCall(node);
  if (call) Object.assign(node, call);
  for (const [key, own] of Object.entries(node)) {
    if (BODIES.has(key) && Array.isArray(own)) node[key] = own.map((statement: Node) => asPrinted(statement));
  }
}

function asPrinted(statement: Node): Node {
  return EXPRESSIONS.has(String(statement["type"])) ? callOf("print", "value", [statement]) : statement;
}

function ownCall(node: Node): Node | undefined {
  const { type } = node;
  if (type === "BinaryExpression") {
    const { operator, left, right } = node as { operator: { value: string }; left: Node; right: Node };
    return found("operator", operator.value, [left, right]);
  }
  if (type === "FilterExpression") {
    const { operand, filter } = node as { operand: Node; filter: { value?: string; callee?: Node; args?: Node[] } };
    const name = filter.value ?? filter.callee?.["value"];
    return found("filter", name, [operand, ...(filter.args ?? [])]);
  }
  if (type !== "CallExpression") return undefined;
  const { callee, args } = node as { callee: Node; args: Node[] };
  if (callee["type"] === "Identifier") return found("function", callee["value"], args);
  const { computed, object, property } = callee as { computed?: boolean; object?: Node; property?: Node };
  return computed === true || !object ? undefined : found("method", property?.["value"], [object, ...args]);
}

function found(table: TableName, name: unknown, args: readonly Node[]): Node | undefined {
  const functions: Readonly<Record<string, PythonFunction>> = pythonTables[table];
  const own = typeof name === "string" && Object.hasOwn(functions, name) ? functions[name] : undefined;
  return own && callOf(table, String(name), inOrder(String(name), args, own.options));
}

/** The first argument and all that may stand behind it, each in its place. */
function inOrder(name: string, [first, ...others]: readonly Node[], options: readonly string[]): Arguments {
  const keywords = new Map(others.filter(isKeyword).map(({ key, value }) => [key.value, value]));
  const positional = others.filter((one) => !isKeyword(one));
  const unknown = [...keywords.keys()].find((key) => !options.includes(key));
  if (!first || unknown !== undefined || positional.length > options.length) {
    throw new Error(`${name}: expected at most ${["one value", ...options].join(", ")}`);
  }
  return [
    first,
    ...options.map((option, i) => positional[i] ?? keywords.get(option) ?? identifierLike(first, NOTHING)),
  ];
}

function isKeyword(node: Node): node is Node & { readonly key: { readonly value: string }; readonly value: Node } {
  return node["type"] === "KeywordArgumentExpression";
}

type Arguments = readonly [first: Node, ...options: Node[]];

function callOf(table: TableName, name: string, values: Arguments): Node {
  const [node] = values;
  const args = [nodeLike(node, { type: "ArrayLiteral", value: values })];
  return nodeLike(node, { type: "CallExpression", callee: identifierLike(node, nameIn(table, name)), args });
}
