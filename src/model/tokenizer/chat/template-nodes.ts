/** Nodes of parsed templates. */

export type TemplateNode = Readonly<Record<string, unknown>>;

/** A node of the interpreter's own kind, as `node` is one: it looks for variables in no others. */
export function nodeLike(node: TemplateNode, fields: TemplateNode): TemplateNode {
  return Object.assign(Object.create(Object.getPrototypeOf(node) as object) as TemplateNode, fields);
}

export function identifierLike(node: TemplateNode, value: string): TemplateNode {
  return nodeLike(node, { type: "Identifier", value });
}
