/** The public API as text: every declaration that a program which imports the package can reach, as it is published. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";

const root = join(import.meta.dirname, "..", "..");

/** A declaration at the top of a file. */
interface Statement {
  readonly text: string;
  readonly file: string;
}

/** What a name is in a file: declared there, or another name of another file. */
type Meaning = Statement | { readonly file: string; readonly name: string };

/** The names of the API and what they lead to, which has no name there. */
export interface ApiReport {
  readonly exported: ReadonlyMap<string, string>;
  readonly reached: ReadonlyMap<string, string>;
}

/** Reads the API of what tsc declares of src/. */
export function apiReport(): ApiReport {
  const folder = mkdtempSync(join(tmpdir(), "evomerge-api-"));
  try {
    const compiler = join(root, "node_modules", ".bin", "tsc");
    execFileSync(compiler, ["-p", join(root, "tsconfig.build.json"), "--outDir", folder]);
    return reportOf(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function reportOf(folder: string): ApiReport {
  const files = new Map<string, ReadonlyMap<string, Meaning>>();
  const namesIn = (file: string): ReadonlyMap<string, Meaning> => {
    const known = files.get(file) ?? meaningsIn(readFileSync(join(folder, file), "utf8"), file);
    files.set(file, known);
    return known;
  };
  const find = (file: string, name: string): Statement | undefined => {
    const meaning = namesIn(file).get(name);
    return meaning && "name" in meaning ? find(meaning.file, meaning.name) : meaning;
  };
  const exported = new Map<string, Statement>();
  for (const name of namesIn("index.d.ts").keys()) {
    const statement = find("index.d.ts", name);
    if (!statement) throw new Error(`index.d.ts: no declaration of ${name}`);
    exported.set(name, statement);
  }
  // A map goes on to what is added while it is gone through.
  const all = new Map(Array.from(exported, ([name, statement]) => [keyOf(statement, name), { name, statement }]));
  for (const { statement } of all.values()) {
    // What begins otherwise is a key or a parameter, unless its type is asked for.
    for (const [word] of statement.text.matchAll(/\b[A-Z]\w*|(?<=typeof )\w+/g)) {
      const found = find(statement.file, word);
      if (found) all.set(keyOf(found, word), all.get(keyOf(found, word)) ?? { name: word, statement: found });
    }
  }
  const others = [...all.values()].filter(({ statement }) => ![...exported.values()].includes(statement));
  return {
    exported: textsOf([...exported].map(([name, statement]) => ({ name, statement }))),
    reached: textsOf(others),
  };
}

function keyOf({ file, text }: Statement, name: string): string {
  return `${file} ${name} ${text.length}`;
}

function textsOf(all: readonly { readonly name: string; readonly statement: Statement }[]): Map<string, string> {
  const inOrder = all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return new Map(inOrder.map(({ name, statement }) => [name, statement.text]));
}

/** Of every name in a file of declarations what it is; tsc begins each statement at the margin, and nothing else but its end. */
function meaningsIn(written: string, file: string): Map<string, Meaning> {
  const text = written.replaceAll(/^[ \t]*\/\*\*[^]*?\*\/\n|^ *(private|#private).*\n|^ *\/\/.*\n/gm, "");
  const meanings = new Map<string, Meaning>();
  for (const statement of text.split(/\n(?=[a-z])/)) {
    const [, names = "", specifier] =
      /^(?:import|export) (?:type )?\{([^}]*)\}(?: from "(\.[^"]+)")?;/.exec(statement) ?? [];
    if (specifier !== undefined) {
      const target = posix.join(posix.dirname(file), specifier).replace(/\.[jt]s$/, ".d.ts");
      for (const item of names.split(",").map((one) => one.trim().replace(/^type /, ""))) {
        const [name = "", own = name] = item.split(" as ");
        if (name !== "") meanings.set(own, { file: target, name });
      }
      continue;
    }
    const declared = /^(?:export )?(?:declare )?(?:abstract )?(?:interface|type|class|function|const) (\w+)/.exec(
      statement,
    );
    if (declared?.[1] !== undefined) meanings.set(declared[1], { text: statement.trim(), file });
  }
  return meanings;
}

/** The report as the file of docs/ that is compared. */
export function apiReportText({ exported, reached }: ApiReport): string {
  return `${[
    "// The public API without its comments: what changes here changes for programs of others. Written by test/source/write-api-report.ts.",
    partText("What the package exports.", exported),
    partText("What that is made of, which is not exported.", reached),
  ].join("\n\n")}\n`;
}

function partText(heading: string, texts: ReadonlyMap<string, string>): string {
  return [`// ${heading}`, ...Array.from(texts.values(), withoutModifiers)].join("\n\n");
}

function withoutModifiers(text: string): string {
  return text.replace(/^export |^(?:export )?declare /, "").replace(/^declare /, "");
}
