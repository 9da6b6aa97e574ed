import { mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commandFor, type Invocation } from "../../src/cli/invocation.ts";
import type { ExportResult } from "../../src/export/export-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";
import { type Ended, pasted } from "./evomerge.ts";

const root = join(import.meta.dirname, "..", "..");

/** Without what npm tells the tests of itself. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$)/i.test(name)));

describe("npm run evomerge in another folder", () => {
  test("takes paths from there, prints JSON alone, and commands that can be pasted there", async () => {
    const folder = await temporaryFolder();
    await writeTinyExperiment(folder);
    const npm = (line: string): Promise<Ended> => pasted(folder, line, env);
    const run = await npm(`npm --prefix ${root} run -s evomerge -- run tiny.yaml --out "my \\$run's" --evaluations 5`);
    expect(run).toMatchObject({ code: 0, stderr: expect.stringContaining("run my $run's\n") as string });
    const next = /^export the winner with: (.*)$/m.exec(run.stdout)?.[1] ?? "";
    expect(next).toBe(`npm --prefix ${root} run -s evomerge -- export 'my $run'\\''s'`);
    const report = await readFile(join(folder, "my $run's", "report.md"), "utf8");
    expect(report).toContain(`\n${next}  `);
    expect(report).toContain(`\n${next.replace("export", "resume")} --evaluations 10  # search on`);
    const exported = await npm(`${next} --json`);
    const { model, folder: own, winner, verdict } = JSON.parse(exported.stdout) as ExportResult;
    const place = join(folder, "my $run's");
    expect({ code: exported.code, model, own }).toEqual({ code: 0, model: join(place, "best"), own: place });
    expect(winner.recipe).toHaveProperty("method");
    expect(verdict?.models.filter(({ kind }) => kind === "winner")).toEqual([
      expect.not.objectContaining({ recipe: expect.anything() as unknown }),
    ]);
  });
});

describe("commandFor", () => {
  const called = (how: Partial<Invocation>): Invocation => ({
    folder: root,
    environment: {},
    program: join(root, "src", "cli", "main.ts"),
    nodeOptions: [],
    ...how,
  });
  const byNpm = (caller: string, event = "evomerge"): Invocation =>
    called({ environment: { npm_lifecycle_event: event, INIT_CWD: caller }, nodeOptions: ["--import", "tsx"] });
  const run = join(root, "results", "ten");

  test.each<[string, Invocation, string]>([
    ["npm run evomerge", byNpm(root), "npm run -s evomerge -- resume results/ten"],
    ["npm run evomerge in a folder of the package", byNpm(join(root, "results")), "npm run -s evomerge -- resume ten"],
    ["npm start", byNpm(root, "start"), "npm run -s evomerge -- resume results/ten"],
    ["npm start from elsewhere", byNpm("/", "start"), `npm --prefix ${root} run -s evomerge -- resume ${run.slice(1)}`],
    ["an installed program", called({ program: "/usr/local/bin/evomerge" }), "evomerge resume results/ten"],
    [
      "npx, or a project's own program",
      called({ program: join(root, "node_modules", ".bin", "evomerge") }),
      "npx evomerge resume results/ten",
    ],
    [
      "a project's own program that pnpm installed",
      called({ program: join(root, "node_modules/.pnpm/evomerge@1.0.0/node_modules/evomerge/dist/cli/main.js") }),
      "pnpm exec evomerge resume results/ten",
    ],
    [
      "a script of that name of another package",
      called({ ...byNpm("/"), folder: "/", program: "/bin/evomerge" }),
      `evomerge resume ${run.slice(1)}`,
    ],
    ["node", called({ program: join(root, "dist/cli/main.js") }), "node dist/cli/main.js resume results/ten"],
    [
      "node with options",
      called({ nodeOptions: ["--import", "tsx"] }),
      "node --import tsx src/cli/main.ts resume results/ten",
    ],
    [
      "node elsewhere",
      called({ folder: "/", program: join(root, "main.js") }),
      `node ${root.slice(1)}/main.js resume ${run.slice(1)}`,
    ],
  ])("is what whoever used %s can paste", (_, invocation, command) => {
    expect(commandFor("resume", run, invocation)).toBe(command);
  });

  test("names a folder beside a link's target from there", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "real"));
    await symlink(join(folder, "real"), join(folder, "link"));
    const command = commandFor("export", join(folder, "real", "-run"), byNpm(join(folder, "link")));
    expect(command).toBe(`npm --prefix ${root} run -s evomerge -- export ./-run`);
  });

  test("names the folder that it is called in", () => {
    expect(commandFor("export", root, byNpm(root))).toBe("npm run -s evomerge -- export .");
  });
});
