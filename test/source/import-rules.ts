import { posix } from "node:path";
import type { SourceFile } from "./source-files.ts";

/** A row of the table of folders. */
export interface FolderRule {
  /** Path in src/ of a folder, ended by a slash, or of a file. */
  readonly place: string;
  /** Folders whose files it may import, those within them included. */
  readonly mayImport: "all" | readonly string[];
}

/** Loads what an experiment names, whatever that is. */
const PLUGIN_LOADER = "plugins/load-plugins.ts";

/** What any file may import. */
const FOR_ALL = "errors.ts";

/** The rows of the only table of a Markdown text under the heading "Folders". */
export function readFolderRules(markdown: string): readonly FolderRule[] {
  const section = markdown.split(/^## /m).find((text) => text.startsWith("Folders\n")) ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) => {
    const [place = "", , imports = ""] = row
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim());
    const mayImport = imports === "all" ? "all" : imports.split(", ").filter((name) => name !== "-");
    return { place: place.replaceAll("`", ""), mayImport };
  });
}

/** Each way in which the table itself lets imports run in a circle, or names what it has no row for. */
export function tableFaults(rules: readonly FolderRule[]): string[] {
  return rules.flatMap(({ place, mayImport }, row) => {
    const above = rules.slice(0, row).map((rule) => rule.place);
    if (mayImport === "all") return [];
    return mayImport
      .filter((name) => !above.some((other) => other.startsWith(`${name}/`)))
      .map((name) => `${place} may import ${name}, which has no row above it`);
  });
}

/** Each import that the rules do not allow, and each file that no row is about, as `path:line: what`. */
export function importFaults(rules: readonly FolderRule[], files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const rule = ruleOf(rules, path);
    if (rule === undefined) return [`${path}:1: the table of folders has no row for it`];
    return importsOf(text).flatMap(({ line, specifier }) => {
      if (specifier === undefined && path === PLUGIN_LOADER) return [];
      const fault = faultOf(rules, rule, path, specifier);
      return fault === undefined ? [] : [`${path}:${line}: ${fault}`];
    });
  });
}

/** What the rules allow and no file makes use of. */
export function unusedRules(rules: readonly FolderRule[], files: readonly SourceFile[]): string[] {
  return rules.flatMap((rule) => {
    const own = files.filter(({ path }) => ruleOf(rules, path) === rule);
    if (own.length === 0) return [`${rule.place}: no file is there`];
    if (rule.mayImport === "all") return [];
    const imported = own.flatMap(({ path, text }) => importsOf(text).map(({ specifier }) => targetOf(path, specifier)));
    return rule.mayImport
      .filter((name) => !imported.some((target) => target?.startsWith(`${name}/`)))
      .map((name) => `${rule.place} imports nothing of ${name}`);
  });
}

/** The row of the innermost folder that a file is in. */
function ruleOf(rules: readonly FolderRule[], path: string): FolderRule | undefined {
  const fitting = rules.filter(({ place }) => (place.endsWith("/") ? path.startsWith(place) : path === place));
  return fitting.toSorted((a, b) => b.place.length - a.place.length)[0];
}

function faultOf(
  rules: readonly FolderRule[],
  rule: FolderRule,
  path: string,
  specifier: string | undefined,
): string | undefined {
  if (specifier === undefined) return "imports what only a run of it can tell";
  const target = targetOf(path, specifier);
  if (target === undefined || target === FOR_ALL || rule.mayImport === "all") return undefined;
  if (target.startsWith("../")) return `imports ${specifier}, which is not in src/`;
  if (ruleOf(rules, target) === rule) return undefined;
  if (rule.mayImport.some((name) => target.startsWith(`${name}/`))) return undefined;
  return `imports ${target}; the row of ${rule.place} allows ${rule.mayImport.join(", ") || "nothing"}`;
}

/** Path in src/ of what is imported; undefined for a package. */
function targetOf(path: string, specifier: string | undefined): string | undefined {
  return specifier?.startsWith(".") ? posix.join(posix.dirname(path), specifier) : undefined;
}

/** Of every form that loads a module of ours or names its types; the specifier is undefined where it is computed. */
function importsOf(text: string): { line: number; specifier: string | undefined }[] {
  const forms = /\b(?:from|import)\s*"([^"]+)"|\bimport\(\s*(?:"([^"]+)")?|\b(?:require|new URL)\(\s*"(\.[^"]+)"/g;
  return Array.from(text.matchAll(forms), (match) => ({
    line: text.slice(0, match.index).split("\n").length,
    specifier: match[1] ?? match[2] ?? match[3],
  }));
}
