import { type Document, LineCounter, parseDocument, visit, type YAMLError } from "yaml";
import type { z } from "zod";
import { ConfigError, UserError } from "../errors.ts";
import { readTextWithin } from "../files/read-file.ts";
import { expectation } from "./expectation.ts";
import { type Fault, faultsOf } from "./faults.ts";
import { offsetAt } from "./source-position.ts";

/** Files written by hand are a few kilobytes; a larger one is the wrong file, not worth parsing. */
const EXPECTED = { what: "a YAML file", maxBytes: 1 << 20 };

/** Expansions of aliases; nested aliases multiply, so a small file could otherwise fill the memory. */
const MAX_ALIASES = 100;

/**
 * Reads a YAML file and validates it. The first fault is thrown as a ConfigError at the line and column of the offending
 * key or value; a file that cannot be read is a UserError.
 */
export async function loadYaml<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  return parseYaml(await readTextWithin(path, EXPECTED), path, schema);
}

/** Validates YAML text as `loadYaml` does; `file` is the name that errors show. */
export function parseYaml<T>(text: string, file: string, schema: z.ZodType<T>): T {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const errorAt = (offset: number, message: string): ConfigError => {
    const { line, col } = lineCounter.linePos(offset);
    return new ConfigError({ file, line, column: col }, message);
  };

  const [syntaxError] = [...document.errors, ...document.warnings].toSorted((a, b) => a.pos[0] - b.pos[0]);
  if (syntaxError !== undefined) throw errorAt(syntaxError.pos[0], describeSyntaxError(syntaxError));
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

function describeSyntaxError({ code, message }: YAMLError): string {
  if (code === "MULTIPLE_DOCS") return "expected one YAML document, found a second one";
  if (code === "RESOURCE_EXHAUSTION") return "nested too deeply";
  return message;
}

function expand(document: Document.Parsed, errorAt: (offset: number, message: string) => ConfigError): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    if (error instanceof ReferenceError) throw errorAt(offsetOfBadAlias(document), error.message);
    throw error;
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

/** The earliest fault in the text; unknown keys go first, because a misspelt key also shows up as a missing one. */
function firstFault(document: Document.Parsed, faults: readonly Fault[]): { offset: number; message: string } {
  const unknownKeys = faults.filter(({ kind }) => kind === "unknown key");
  const [first] = (unknownKeys.length > 0 ? unknownKeys : faults)
    .map(({ path, kind, message }) => ({
      offset: offsetAt(document, path, kind === "unknown key" ? "key" : "value"),
      message,
    }))
    .toSorted((a, b) => a.offset - b.offset);
  if (first === undefined) throw new Error("zod rejected a file without naming an issue");
  return first;
}
