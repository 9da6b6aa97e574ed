import type { z } from "zod";
import { isJsonObject } from "../files/json-object.ts";
import { anyOf } from "./expectation.ts";
import { nearestName } from "./nearest-name.ts";

/** One thing wrong with a parsed file: where it is, and a sentence that names what was expected and what was found. */
export interface Fault {
  readonly path: readonly PropertyKey[];
  readonly kind: "unknown key" | "missing key" | "value";
  /** Of a missing key its name, of an unknown one the known name that is most likely meant. */
  readonly key?: string | undefined;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** Longer than any sentence of ours; what is quoted may be of any length. */
const MAX_LENGTH = 500;

/** The first fault behind zod's issues, as a sentence that a person reads. */
export function firstFaultOf(issues: readonly Issue[]): string {
  return faultsOf(issues)[0]?.message ?? "not valid";
}

/** The faults behind zod's issues, which must come from a parse with `reportInput: true` and `error: expectation`. */
export function faultsOf(issues: readonly Issue[]): Fault[] {
  return issues
    .flatMap((issue) => faultsOfIssue(issue, []))
    .map(({ message, ...where }) => ({
      ...where,
      message: message.length > MAX_LENGTH ? `${message.slice(0, MAX_LENGTH)}...` : message,
    }));
}

/**
 * The faults without those that follow from unknown keys: a key that is missing where it is misspelt, and what is said of a
 * mapping as a whole that has such a key. Unknown keys come first.
 */
export function withoutConsequences(faults: readonly Fault[]): Fault[] {
  const unknown = faults.filter(({ kind }) => kind === "unknown key");
  const misspelt = new Set(unknown.map(({ path, key }) => nameOf(path.slice(0, -1), key)));
  const mappings = new Set(unknown.map(({ path }) => nameOf(path.slice(0, -1))));
  const others = faults.filter(({ kind, path, key }) => {
    if (kind === "missing key") return !misspelt.has(nameOf(path, key));
    return kind === "value" && !mappings.has(nameOf(path));
  });
  return [...unknown, ...others];
}

function nameOf(path: readonly PropertyKey[], key?: string): string {
  return JSON.stringify([path, key]);
}

/** A fault of the value at `path`, for what no schema knows. */
export function faultAt(path: readonly PropertyKey[], message: string): Fault {
  return { path, kind: "value", message: prefix(path) + message };
}

function faultsOfIssue(issue: Issue, parent: readonly PropertyKey[]): Fault[] {
  const path = [...parent, ...issue.path];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey([...path, key], key, issue.message));
    case "invalid_union":
      return faultsOfUnion(issue, path);
    case "custom":
      return [faultAt(path, issue.message)];
    case "invalid_key":
      return issue.issues.map(({ message }) => unexpected(path, message, path.at(-1)));
    case "invalid_value":
      return [unexpected(path, issue.message, issue.input, issue.values)];
    default:
      return [unexpected(path, issue.message, issue.input)];
  }
}

/** Speaks for the one option that the value is evidently meant for, else says what all options expect. */
function faultsOfUnion(issue: z.core.$ZodIssueInvalidUnion, path: readonly PropertyKey[]): Fault[] {
  if (issue.discriminator !== undefined && "options" in issue) {
    const { discriminator, options = [], input } = issue;
    const found = isJsonObject(input) ? input[discriminator] : undefined;
    return [unexpected(path, anyOf(options.map(String)), found, options)];
  }
  const meant = issue.errors.filter((option) => !option.some(isOfAnotherKind));
  const [only] = meant;
  if (only !== undefined && meant.length === 1) return only.flatMap((inner) => faultsOfIssue(inner, path));
  const roots = rootsOf(issue);
  const names = roots.flatMap((root) => (root.code === "invalid_value" ? root.values : []));
  return [unexpected(path, anyOf([...new Set(roots.map(({ message }) => message))]), issue.input, names)];
}

/** What the options say of the value itself, those of unions within them too. */
function rootsOf({ errors }: z.core.$ZodIssueInvalidUnion): readonly Issue[] {
  return errors
    .flat()
    .filter(({ path }) => path.length === 0)
    .flatMap((root) => (root.code === "invalid_union" ? rootsOf(root) : [root]));
}

function isOfAnotherKind(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === "invalid_union") return issue.errors.every((option) => option.some(isOfAnotherKind));
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

function unknownKey(path: readonly PropertyKey[], key: string, known: string): Fault {
  const nearest = nearestName(key, known.split(", "));
  const advice = nearest === undefined ? `expected ${anyOf(known.split(", "))}` : `did you mean "${nearest}"?`;
  return {
    path,
    kind: "unknown key",
    key: nearest,
    message: `${prefix(path.slice(0, -1))}unknown key "${key}"; ${advice}`,
  };
}

function unexpected(
  path: readonly PropertyKey[],
  expected: string,
  found: unknown,
  names: readonly unknown[] = [],
): Fault {
  if (found === undefined) {
    const key = String(path.at(-1));
    return { ...faultAt(path.slice(0, -1), `missing key "${key}": expected ${expected}`), kind: "missing key", key };
  }
  const nearest = typeof found === "string" ? nearestName(found, names.map(String)) : undefined;
  const advice = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return faultAt(path, `expected ${expected}, found ${describe(found)}${advice}`);
}

/** `parameters.weight.range[0]: ` for a path into the file, nothing for its root. */
function prefix(path: readonly PropertyKey[]): string {
  const text = path.map((segment) => (typeof segment === "number" ? `[${segment}]` : `.${String(segment)}`)).join("");
  return text === "" ? "" : `${text.replace(/^\./, "")}: `;
}

function describe(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object") return "a mapping";
  const text = typeof value === "number" ? String(value) : JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
