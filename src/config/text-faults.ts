/** What is wrong with the text of a YAML file, whatever it should say. */
import { type Document, isScalar, type Node, visit, type YAMLError } from "yaml";
import type { PlacedFault } from "./placed-fault.ts";
import { yaml11Faults } from "./yaml11.ts";

/** The parser's faults, keys that are there twice and aliases without an end; `asYaml11`, also what YAML 1.1 reads otherwise. */
export function textFaults(document: Document.Parsed, asYaml11: boolean): readonly PlacedFault[] {
  return [
    ...syntaxFaults(document),
    ...repeatedKeys(document),
    ...endlessAliases(document),
    ...(asYaml11 ? yaml11Faults(document) : []),
  ];
}

/** The parser's first error, from which others may follow, and all that it warns of. */
function syntaxFaults({ errors, warnings }: Document.Parsed): PlacedFault[] {
  return [...errors.slice(0, 1), ...warnings].map((error) => ({
    offset: error.pos[0],
    message: describeSyntaxError(error),
  }));
}

/** Keys that their mapping already has, as it would have them as an object. */
function repeatedKeys(document: Document.Parsed): PlacedFault[] {
  const faults: PlacedFault[] = [];
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<string>();
      for (const { key } of items as { readonly key: Node | null }[]) {
        if (key !== null && !isScalar(key)) continue;
        const name = (key?.value ?? null) === null ? "" : String(key);
        if (seen.has(name)) faults.push({ offset: key?.range?.[0] ?? 0, message: "Map keys must be unique" });
        seen.add(name);
      }
    },
  });
  return faults;
}

/** Aliases of what they are in, which would have no end. */
function endlessAliases(document: Document.Parsed): PlacedFault[] {
  const faults: PlacedFault[] = [];
  visit(document, {
    Alias(_, alias, within) {
      const node = alias.resolve(document);
      if (!node || !within.includes(node)) return;
      const message = `*${alias.source} is part of what it stands for, and would have no end; write out what is meant`;
      faults.push({ offset: alias.range?.[0] ?? 0, message });
    },
  });
  return faults;
}

function describeSyntaxError({ code, message }: YAMLError): string {
  if (code === "MULTIPLE_DOCS") return "expected one YAML document, found a second one";
  if (code === "RESOURCE_EXHAUSTION") return "nested too deeply";
  return message;
}
