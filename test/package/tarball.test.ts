/** The whole main job as a stranger does it, by the commands of the README, with the package that npm packs. */
import { once } from "node:events";
import { cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { install, type Installed, runIn } from "./installed.ts";

const root = join(import.meta.dirname, "..", "..");

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

/** The programs that a document shows. */
async function programsIn(document: string): Promise<readonly string[]> {
  const text = await readFile(join(root, document), "utf8");
  return Array.from(text.matchAll(/^```ts\n([^]*?)^```$/gm), ([, program = ""]) => program);
}

/** What the README types behind the name of the program, wherever that is found. */
async function typedCommands(): Promise<readonly string[]> {
  const readme = await readFile(join(root, "README.md"), "utf8");
  return Array.from(readme.matchAll(/\bevomerge (?:-- )?(\w[^#`\n]*?) *(?=[#`\n])/g), ([, typed = ""]) => typed);
}

describe("the package, installed globally", () => {
  let installed: Installed;
  let readme: readonly string[];

  /** The words of a command of the README, in which a few are replaced by others. */
  const typed = (command: string, instead: Readonly<Record<string, string>> = {}): string[] => {
    expect(readme).toContain(command);
    const given = Object.entries(instead).reduce((line, [from, to]) => line.replace(from, to), command);
    return given.split(" ");
  };

  beforeAll(async () => {
    readme = await typedCommands();
    installed = await install();
  });
  afterAll(() => installed[Symbol.asyncDispose]());

  test("finds and exports a model in an empty folder by one command, and writes nothing where it is installed", async () => {
    const { evomerge, empty } = installed;
    const before = await readdir(installed.package, { recursive: true });
    const began = performance.now();
    const told = await evomerge(...typed("run demo --evaluations 12 --export"));
    const seconds = (performance.now() - began) / 1000;
    process.stdout.write(
      `first result: 2 commands, ${installed.seconds.toFixed(0)} s to install and ${seconds.toFixed(0)} s to search\n`,
    );
    expect(told).toMatch(/\nexported .* to \S.*an empty folder\/results\/demo\/best\n/);
    expect(await readdir(installed.package, { recursive: true })).toEqual(before);
    expect(await readdir(empty)).toEqual(["results"]);
  });

  test("exports another run and scores the model", async () => {
    const { evomerge } = installed;
    await evomerge(...typed("run demo --budget 10m --out results/ten", { "--budget 10m": "--evaluations 4" }));
    await evomerge(...typed("export results/ten --to my-model"));
    const scoring = typed(
      "score <model> --task experiments/demo/mmlu/test.jsonl --format mmlu_continuation --no-description",
    );
    const places: Readonly<Record<string, string>> = {
      "<model>": "my-model",
      "experiments/demo/mmlu/test.jsonl": join(installed.package, "experiments", "demo", "mmlu", "test.jsonl"),
    };
    const scored = await evomerge(...scoring.map((word) => places[word] ?? word), "--json");
    // Of base and experts the best has 0.744.
    expect((JSON.parse(scored) as { accuracy: number }).accuracy).toBeGreaterThan(0.75);
  });

  test("compares both runs, in words and on a page", async () => {
    const { evomerge, empty } = installed;
    const compared = await evomerge(...typed("compare results/demo results/ten --page compared.html"));
    expect(compared).toMatch(/^demo .*\n(?:.*\n)*?ten /m);
    expect(await readFile(join(empty, "compared.html"), "utf8")).toMatch(/^<!doctype html>[^]*>ten</i);
  });

  test("serves a run's page until it is interrupted", async () => {
    const watching = installed.start(...typed("watch results/ten"));
    onTestFinished(() => void watching.kill("SIGKILL"));
    const [told] = (await once(watching.stdout, "data")) as [Buffer];
    const rest = text(watching.stdout);
    const address = told.toString().trim();
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]+\/$/);
    const page = await fetch(address);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("evomerge export results/ten")]);
    watching.kill("SIGINT");
    const [code] = (await once(watching, "close")) as [number | null];
    expect([code, await rest]).toEqual([0, ""]);
    await expect(fetch(address)).rejects.toThrow("fetch failed");
  });

  test("writes an experiment for models that are there, with its schema, and runs it", async () => {
    const { evomerge, empty } = installed;
    await cp(join(installed.package, "experiments", "demo"), join(empty, "my-models"), { recursive: true });
    const next = /^run it with: evomerge (.*)$/m.exec(await evomerge(...typed("init my-models")))?.[1];
    expect(next).toBe("run my-models/experiment.yaml --export");
    const [line = ""] = (await readFile(join(empty, "my-models", "experiment.yaml"), "utf8")).split("\n");
    const schema = new URL(line.replace("# yaml-language-server: $schema=", ""));
    expect(JSON.parse(await readFile(schema, "utf8"))).toHaveProperty("properties.base");
    await evomerge(...typed("run my-models/experiment.yaml --export"), "--evaluations", "6");
  });

  test("is a library that a program compiles against as strictly as TypeScript can, declarations included, and runs", async () => {
    const project = join(installed.folder, "a project");
    await mkdir(join(project, "node_modules"), { recursive: true });
    await symlink(installed.package, join(project, "node_modules", "evomerge"));
    await symlink(join(root, "node_modules", "@types"), join(project, "node_modules", "@types"));
    await cp(join(import.meta.dirname, "outside"), project, { recursive: true });
    await writeFile(join(project, "package.json"), JSON.stringify({ type: "module" }));
    await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: strictest, include: ["*.ts"] }));
    const programs = [...(await programsIn("README.md")), ...(await programsIn("docs/library.md"))];
    expect(programs.length).toBeGreaterThan(4);
    for (const [i, text] of programs.entries()) await writeFile(join(project, `documented-${i}.ts`), text);
    const rows = await readFile(join(installed.package, "experiments", "demo", "mmlu", "test.jsonl"), "utf8");
    await writeFile(join(project, "rows.jsonl"), rows.split("\n").slice(0, 12).join("\n"));
    expect(await runIn(project, join(root, "node_modules", ".bin", "tsc"), [])).toBe("");

    const told: unknown = JSON.parse(await runIn(project, process.execPath, ["main.js"]));
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
