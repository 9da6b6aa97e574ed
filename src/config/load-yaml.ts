import { type Document, LineCounter, parseDocument, visit } from "yaml";
import type { z } from "zod";
import { ConfigError, UserError } from "../errors.ts";
import { isJsonObject } from "../files/json-object.ts";
import { printableLine } from "../files/printable.ts";
import { readTextWithin } from "../files/read-file.ts";
import { expectation } from "./expectation.ts";
import { type Fault, faultsOf, withoutConsequences } from "./faults.ts";
import type { PlacedFault } from "./placed-fault.ts";
import { offsetAt } from "./source-position.ts";
import { textFaults } from "./text-faults.ts";

/** Files written by hand are a few kilobytes; a larger one is the wrong file, not worth parsing. */
const EXPECTED = { what: "a YAML file", maxBytes: 1 << 20 };

/** Expansions of aliases; nested aliases multiply, so a small file could otherwise fill the memory. */
const MAX_ALIASES = 100;

/** Of a file that is wrong all over, so many faults are looked for in the text, which takes a pass over its keys each. */
const MOST_PLACED = 100;

/** As many as a person reads before the first are mended. */
const MOST_TOLD = 20;

/** How a file is read. */
export interface YamlReading {
  /** Whether others read it as YAML 1.1, which has keys that merge (<<), and octal numbers that begin with 0. */
  readonly asYaml11?: boolean;
}

/** What a file says, and the error with which it is refused for faults that its schema cannot know, each at its place. */
export interface PlacedYaml<T> {
  readonly value: T;
  /** The value before its schema made anything of it. */
  readonly written: Readonly<Record<string, unknown>>;
  readonly errorOf: (faults: readonly Fault[]) => ConfigError;
}

/**
 * Reads a YAML file and validates it. Its faults are thrown as one ConfigError, each with the line and column of the offending
 * key or value; a file that cannot be read is a UserError.
 */
export async function loadYaml<T>(path: string, schema: z.ZodType<T>, reading: YamlReading = {}): Promise<T> {
  return (await loadPlacedYaml(path, schema, reading)).value;
}

/** Reads a YAML file as `loadYaml` does, for whoever looks for further faults. */
export async function loadPlacedYaml<T>(
  path: string,
  schema: z.ZodType<T>,
  reading: YamlReading = {},
): Promise<PlacedYaml<T>> {
  return parsePlacedYaml(await readTextWithin(path, EXPECTED), path, schema, reading);
}

/** Validates YAML text as `loadYaml` does; `file` is the name that errors show. */
export function parseYaml<T>(text: string, file: string, schema: z.ZodType<T>, reading: YamlReading = {}): T {
  return parsePlacedYaml(text, file, schema, reading).value;
}

function parsePlacedYaml<T>(
  text: string,
  file: string,
  schema: z.ZodType<T>,
  { asYaml11 = false }: YamlReading,
): PlacedYaml<T> {
  const lineCounter = new LineCounter();
  // Its own comparison of keys takes quadratic time.
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false, merge: asYaml11 });
  const errorAt = (faults: readonly PlacedFault[], count = faults.length): ConfigError =>
    configError(file, lineCounter, faults, count);
  const refuse = (offset: number, message: string): never => {
    throw errorAt([{ offset, message }]);
  };

  const faults = textFaults(document, asYaml11);
  if (faults.length > 0) throw errorAt(faults);
  if (document.contents === null) throw new UserError(`${file} is empty: expected a mapping of keys to values`);

  const value = expand(document, refuse);
  const lost = keyThatWouldBeLost(value);
  if (lost) refuse(offsetAt(document, lost, "key"), `a key cannot be named "${LOST}"; give it another name`);

  const errorOf = (found: readonly Fault[]): ConfigError =>
    errorAt(
      found.slice(0, MOST_PLACED).map((fault) => placed(document, fault)),
      found.length,
    );
  const parsed = schema.safeParse(value, { error: expectation, reportInput: true });
  if (parsed.success) return { value: parsed.data, written: isJsonObject(value) ? value : {}, errorOf };
  const found = withoutConsequences(faultsOf(parsed.error.issues));
  if (found.length === 0) throw new Error("zod rejected a file without naming an issue");
  throw errorOf(found);
}

/** The first of the faults in the order of the text, each on a line of its own whatever it quotes. */
function configError(
  file: string,
  lineCounter: LineCounter,
  faults: readonly PlacedFault[],
  count: number,
): ConfigError {
  const inOrder = faults.toSorted((a, b) => a.offset - b.offset).slice(0, MOST_TOLD);
  const told = inOrder.map(({ offset, message }) => {
    const { line, col: column } = lineCounter.linePos(offset);
    return { line, column, message: printableLine(message) };
  });
  return new ConfigError(printableLine(file), told, count - told.length);
}

function placed(document: Document.Parsed, { path, kind, message }: Fault): PlacedFault {
  return { offset: offsetAt(document, path, kind === "unknown key" ? "key" : "value"), message };
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

function expand(document: Document.Parsed, refuse: (offset: number, message: string) => never): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const isUnresolved = error.message.startsWith("Unresolved");
    const message = isUnresolved
      ? error.message
      : `aliases stand for more than ${MAX_ALIASES} copies of what they name; write some of it out`;
    return refuse(offsetOfBadAlias(document), message);
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
