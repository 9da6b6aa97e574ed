import { type Document, isScalar, LineCounter, type Node, parseDocument, visit, type YAMLError } from "yaml";
import type { z } from "zod";
import { ConfigError, UserError } from "../errors.ts";
import { readTextWithin } from "../files/read-file.ts";
import { expectation } from "./expectation.ts";
import { type Fault, faultsOf } from "./faults.ts";
import type { PlacedFault } from "./placed-fault.ts";
import { offsetAt } from "./source-position.ts";
import { yaml11Faults } from "./yaml11.ts";

/** Files written by hand are a few kilobytes; a larger one is the wrong file, not worth parsing. */
const EXPECTED = { what: "a YAML file", maxBytes: 1 << 20 };

/** Expansions of aliases; nested aliases multiply, so a small file could otherwise fill the memory. */
const MAX_ALIASES = 100;

/** How a file is read. */
export interface YamlReading {
  /** Whether others read it as YAML 1.1, which has keys that merge (<<), and octal numbers that begin with 0. */
  readonly asYaml11?: boolean;
}

/**
 * Reads a YAML file and validates it. The first fault is thrown as a ConfigError at the line and column of the offending
 * key or value; a file that cannot be read is a UserError.
 */
export async function loadYaml<T>(path: string, schema: z.ZodType<T>, reading: YamlReading = {}): Promise<T> {
  return parseYaml(await readTextWithin(path, EXPECTED), path, schema, reading);
}

/** Validates YAML text as `loadYaml` does; `file` is the name that errors show. */
export function parseYaml<T>(
  text: string,
  file: string,
  schema: z.ZodType<T>,
  { asYaml11 = false }: YamlReading = {},
): T {
  const lineCounter = new LineCounter();
  // Its own comparison of keys takes quadratic time.
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, merge: asYaml11 });
  const errorAt = (offset: number, message: string): ConfigError => {
    const { line, col } = lineCounter.linePos(offset);
    return new ConfigError({ file, line, column: col }, message);
  };

  const faults = [
    ...syntaxFaults(document),
    ...repeatedKeys(document),
    ...endlessAliases(document),
    ...(asYaml11 ? yaml11Faults(document) : []),
  ];
  const [first] = faults.toSorted((a, b) => a.offset - b.offset);
  if (first !== undefined) throw errorAt(first.offset, first.message);
  if (document.contents === null) throw new UserError(`${file} is empty: expected a mapping of keys to values`);

  const value = expand(document, errorAt);
  const lost = keyThatWouldBeLost(value);
  if (lost) throw errorAt(offsetAt(document, lost, "key"), `a key cannot be named "${LOST}"; give it another name`);

  const parsed = schema.safeParse(value, { error: expectation, reportInput: true });
  if (parsed.success) return parsed.data;
  const { offset, message } = firstFault(document, faultsOf(parsed.error.issues));
  throw errorAt(offset, message);
}

/** zod leaves out a key of this name without a word, since it stands for an object's prototype. */
const LOST = "__proto__";

/** Where the first such key is. */
function keyThatWouldBeLost(value: unknown): readonly PropertyKey[] | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (Object.hasOwn(value, LOST)) return [LOST];
  for (const [key, inner] of Object.entries(value)) {
    const path = keyThatWouldBeLost(inner);
    if (path) return [Array.isArray(value) ? Number(key) : key, ...path];
  }
  return undefined;
}

function syntaxFaults({ errors, warnings }: Document.Parsed): PlacedFault[] {
  return [...errors, ...warnings].map((error) => ({ offset: error.pos[0], message: describeSyntaxError(error) }));
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

function expand(document: Document.Parsed, errorAt: (offset: number, message: string) => ConfigError): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const isUnresolved = error.message.startsWith("Unresolved");
    const message = isUnresolved
      ? error.message
      : `aliases stand for more than ${MAX_ALIASES} copies of what they name; write some of it out`;
    throw errorAt(offsetOfBadAlias(document), message);
  }
}

/** The first alias without an anchor, else the first alias: the one that expands beyond the limit has no position. */
function offsetOfBadAlias(document: Document.Parsed): number {
  const offsets: number[] = [];
  const unresolved: number[] = [];
  visit(document, {
    Alias(_, alias) {
      const offset = alias.range?.[0] ?? 0;
      offsets.push(offset);
      if (alias.resolve(document) === undefined) unresolved.push(offset);
    },
  });
  return unresolved[0] ?? offsets[0] ?? 0;
}

/** Of a file that is wrong all over, so many faults are looked for in the text, which takes a pass over its keys each. */
const MOST_FAULTS = 100;

/** The earliest fault in the text; unknown keys go first, because a misspelt key also shows up as a missing one. */
function firstFault(document: Document.Parsed, faults: readonly Fault[]): { offset: number; message: string } {
  const unknownKeys = faults.filter(({ kind }) => kind === "unknown key");
  const [first] = (unknownKeys.length > 0 ? unknownKeys : faults)
    .slice(0, MOST_FAULTS)
    .map(({ path, kind, message }) => ({
      offset: offsetAt(document, path, kind === "unknown key" ? "key" : "value"),
      message,
    }))
    .toSorted((a, b) => a.offset - b.offset);
  if (first === undefined) throw new Error("zod rejected a file without naming an issue");
  return first;
}
