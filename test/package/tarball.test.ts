/**
 * The whole main job as a stranger does it: the package is packed, installed globally and used in an empty folder. What it depends on
 * comes from npm's cache, or else from its registry.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");

/** Beside what is packed, what a build reads. */
const SOURCES = ["package.json", "src", "rolldown.config.ts", "tsconfig.json", "tsconfig.build.json", "LICENSE"];

/** Everything that TypeScript can be told to refuse, in declarations of packages too. */
const strictest = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  module: "nodenext",
  target: "es2023",
  types: ["node"],
};

/** Without what npm tells the tests of itself. */
const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$)/i.test(name)));

async function run(
  folder: string,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = plain,
): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { cwd: folder, env, maxBuffer: 2 ** 26 });
  return stdout;
}

/** The programs that a document shows. */
async function programsIn(document: string): Promise<readonly string[]> {
  const text = await readFile(join(root, document), "utf8");
  return Array.from(text.matchAll(/^```ts\n([^]*?)^```$/gm), ([, program = ""]) => program);
}

/** Packs a copy of the sources in a folder, so that nobody's build is replaced; the path of the tarball. */
async function packIn(folder: string): Promise<string> {
  const { files } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { files: readonly string[] };
  const named = files
    .filter((path) => path !== "dist" && !path.startsWith("!"))
    .map((path) => path.replace(/\/\*\.md$/, ""));
  for (const path of [...SOURCES, ...named, "README.md"])
    await cp(join(root, path), join(folder, path), { recursive: true });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await run(folder, "npm", ["pack", "--silent"]);
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  return join(folder, tarball ?? "");
}

describe("the package, installed globally", () => {
  let folder: string;
  let prefix: string;
  let installed: string;
  let empty: string;

  /** The program by its name, as a shell finds it. */
  const evomerge = (...args: string[]): Promise<string> => {
    const path = [join(prefix, "bin"), plain["PATH"]].join(delimiter);
    return run(empty, "evomerge", args, {
      ...plain,
      PATH: path,
      HF_HUB_OFFLINE: "1",
      HF_HUB_CACHE: join(prefix, "cache"),
    });
  };

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "evomerge-")));
    // Paths with spaces are nothing special.
    [prefix, empty] = [join(folder, "global prefix"), join(folder, "an empty folder")];
    for (const path of [empty, join(folder, "sources")]) await mkdir(path);
    const tarball = await packIn(join(folder, "sources"));
    const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
    await run(empty, "npm", ["install", "--global", "--prefix", prefix, "--prefer-offline", ...quiet, tarball]);
    installed = join(prefix, "lib", "node_modules", "evomerge");
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("searches, exports and scores in an empty folder, and writes nothing where it is installed", async () => {
    const before = await readdir(installed, { recursive: true });
    const told = await evomerge("run", "demo", "--evaluations", "8", "--export");
    expect(told).toMatch(/\nexported .* to \S.*an empty folder\/results\/demo\/best\n/);
    await evomerge("export", "results/demo", "--to", "my-model");
    const rows = join(installed, "experiments", "demo", "mmlu", "test.jsonl");
    const how = ["--format", "mmlu_continuation", "--no-description", "--json"];
    const scored = JSON.parse(await evomerge("score", "my-model", "--task", rows, ...how)) as { accuracy: number };
    // Of base and experts the best has 0.744.
    expect(scored.accuracy).toBeGreaterThan(0.75);
    expect(await readdir(installed, { recursive: true })).toEqual(before);
    expect((await readdir(empty)).toSorted()).toEqual(["my-model", "results"]);
  });

  test("writes an experiment for models that are there, with its schema, and runs it", async () => {
    await cp(join(installed, "experiments", "demo"), join(empty, "models"), { recursive: true });
    const next = /^run it with: evomerge (.*)$/m.exec(await evomerge("init", "--budget", "8s"))?.[1];
    expect(next).toBe("run experiment.yaml --export");
    const [line = ""] = (await readFile(join(empty, "experiment.yaml"), "utf8")).split("\n");
    const schema = new URL(line.replace("# yaml-language-server: $schema=", ""));
    expect(JSON.parse(await readFile(schema, "utf8"))).toHaveProperty("properties.base");
    await evomerge("run", "experiment.yaml", "--evaluations", "6");
  });

  test("is a library that a program compiles against as strictly as TypeScript can, declarations included, and runs", async () => {
    const project = join(folder, "a project");
    await mkdir(join(project, "node_modules"), { recursive: true });
    await symlink(installed, join(project, "node_modules", "evomerge"));
    await symlink(join(root, "node_modules", "@types"), join(project, "node_modules", "@types"));
    await cp(join(import.meta.dirname, "outside", "main.ts"), join(project, "main.ts"));
    await writeFile(join(project, "package.json"), JSON.stringify({ type: "module" }));
    await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: strictest, include: ["*.ts"] }));
    const programs = [...(await programsIn("README.md")), ...(await programsIn("docs/library.md"))];
    expect(programs.length).toBeGreaterThan(4);
    for (const [i, text] of programs.entries()) await writeFile(join(project, `documented-${i}.ts`), text);
    const rows = await readFile(join(installed, "experiments", "demo", "mmlu", "test.jsonl"), "utf8");
    await writeFile(join(project, "rows.jsonl"), rows.split("\n").slice(0, 12).join("\n"));
    expect(await run(project, join(root, "node_modules", ".bin", "tsc"), [])).toBe("");

    const told: unknown = JSON.parse(await run(project, process.execPath, ["main.js"]));
    expect(told).toMatchObject({
      genes: ["nature", "craft", "news"].map((name) => ({ name: `${name}.all.weight`, low: 0 })),
      rows: [
        ["cosmosqa", 500],
        ["xsum", 200],
      ],
      losses: [expect.any(Number), expect.any(Number), expect.any(Number)],
      own: [12, 12, expect.any(Boolean)],
      isWritten: true,
      winner: expect.any(String),
    });
    const { losses, refusals, generations, kinds } = told as Record<string, readonly (string | number)[]>;
    // The base has not learnt to summarise; both merges have an expert for it.
    expect(losses![0]).toBeLessThan(Number(losses![2]));
    expect(losses![1]).toBeLessThan(Number(losses![2]));
    expect(refusals).toEqual([
      "point: expected 3 numbers, one for each gene, found 1",
      "point: expected numbers from 0 to 1, found 2 at 0; each is a part of its gene's range",
      'the coefficients.weight.mews: no expert has this name; did you mean "news"?',
      "recipe: model: expected one of base, nature, craft, news, found bse",
      "recipe: expected values of weight, which task_arithmetic takes, found those of none",
      "rows of mine: expected at least one, found none; give a larger limit, or rows",
    ]);
    expect(generations).toHaveLength(2);
    expect(kinds).toContain("verdict");
  });
});
