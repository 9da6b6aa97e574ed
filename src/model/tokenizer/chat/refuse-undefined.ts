/**
 * Attributes and elements of undefined values, which Jinja2 refuses, and the templates' interpreter takes for undefined
 * themselves. Jinja2 writes nothing for an undefined value alone, and so does the interpreter.
 */

import { identifierLike, nodeLike, type TemplateNode as TemplatePart } from "./template-nodes.ts";

/** No template can write such a name. */
const REFUSE = "refuse undefined";

/** The function that is called by what `refuseUndefined` puts into a template, by its name there. */
export const undefinedRefusal: Readonly<Record<string, (name: unknown) => never>> = {
  [REFUSE]: (name) => {
    throw new Error(`${String(name)} is undefined, and has no parts`);
  },
};

/**
 * Puts a question before each part that a template takes of a variable, or of its parts: whether that is defined. Of what functions
 * return and filters make that is not asked, since they would be called once more.
 */
export function refuseUndefined(part: unknown): void {
  if (typeof part !== "object" || part === null) return;
  const node = part as TemplatePart;
  const path = isMember(node) && isPath(node["object"]) ? copyOf(node["object"]) : undefined;
  const parts = part instanceof Map ? [...part].flat() : Object.values(node);
  for (const inner of parts) refuseUndefined(inner);
  if (path) Object.assign(node, { object: asked(node["object"], path) });
}

/** The value of a path, if what is asked for all its parts is defined; the path itself has no questions in it. */
function asked(operand: unknown, path: TemplatePart): TemplatePart {
  const isDefined = nodeLike(path, {
    type: "TestExpression",
    operand,
    negate: false,
    test: identifierLike(path, "defined"),
  });
  const name = nodeLike(path, { type: "StringLiteral", value: nameOf(path) });
  const refusal = nodeLike(path, { type: "CallExpression", callee: identifierLike(path, REFUSE), args: [name] });
  return nodeLike(path, { type: "Ternary", condition: isDefined, trueExpr: path, falseExpr: refusal });
}

function isMember({ type }: TemplatePart): boolean {
  return type === "MemberExpression";
}

/** Whether it is a variable, or a part of one. */
function isPath(part: unknown): part is TemplatePart {
  const node = part as TemplatePart;
  return node["type"] === "Identifier" || (isMember(node) && isPath(node["object"]));
}

function copyOf(path: TemplatePart): TemplatePart {
  return isMember(path) ? nodeLike(path, { ...path, object: copyOf(path["object"] as TemplatePart) }) : path;
}

function nameOf(path: TemplatePart): string {
  if (!isMember(path)) return String(path["value"]);
  const { value } = path["property"] as TemplatePart;
  const part = typeof value === "string" || typeof value === "number" ? value : "...";
  return `${nameOf(path["object"] as TemplatePart)}.${part}`;
}
