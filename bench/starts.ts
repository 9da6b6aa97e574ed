/**
 * What a program takes to start, as it is built and with a file for each module: `npx tsx bench/starts.ts [repetitions]`.
 * Each command ends as soon as it has read all that it needs.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import config from "../rolldown.config.ts";
import { childPrograms } from "../src/files/child-program.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { interleave, type Timing } from "./interleave.ts";
import { machine } from "./machine.ts";

const [repetitions = "15"] = process.argv.slice(2);
const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
const commands: Readonly<Record<string, readonly string[]>> = {
  "--version": ["cli/main.js", "--version"],
  "merge none.yaml x": ["cli/main.js", "merge", "none.yaml", "x"],
  "resume none": ["cli/main.js", "resume", "none"],
  "the tokenizers' process": [childPrograms.tokenizers.replace(/ts$/, "js")],
  "parquet's process": [childPrograms.parquet.replace(/ts$/, "js")],
};

const folder = await mkdtemp(join(tmpdir(), "evomerge-"));
try {
  const [built, modules] = [join(folder, "built"), join(folder, "modules")];
  for (const place of [built, modules]) {
    await mkdir(place);
    for (const name of ["node_modules", "package.json"]) await symlink(join(root, name), join(place, name));
  }
  await using build = await rolldown({ ...config, cwd: root });
  await build.write({ ...config.output, dir: join(built, "dist") });
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const files = ["--emitDeclarationOnly", "false", "--outDir", join(modules, "dist")];
  await run(process.execPath, [compiler, "-p", join(root, "tsconfig.build.json"), ...files]);
  console.log(`${machine()}\n`);
  const rows: string[][] = [];
  for (const [name, [program = "", ...args]] of Object.entries(commands)) {
    const start = (place: string) => (): Promise<Timing> => started([join(place, "dist", program), ...args]);
    const times = await interleave(
      { node: () => started(["-e", "0"]), built: start(built), modules: start(modules) },
      Number(repetitions),
    );
    const cells = [times.node, times.modules, times.built].flatMap(({ wall, cpu }) => [
      wall.toFixed(2),
      cpu.toFixed(2),
    ]);
    rows.push([name, ...cells, (times.modules.cpu / times.built.cpu).toFixed(1)]);
  }
  const header = ["start of", "node: s", "CPU s", "modules: s", "CPU s", "built: s", "CPU s", "ratio of CPU s"];
  console.log(alignedText({ header, rows }));
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Starts Node and waits for its end, whatever that is; the shell tells what it took. */
async function started(args: readonly string[]): Promise<Timing> {
  const line = 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null 2>&1 </dev/null || true';
  const { stderr } = await run("bash", ["-c", line, "_", process.execPath, ...args], { cwd: folder });
  const [wall = 0, user = 0, system = 0] = stderr.trim().split(" ").map(Number);
  return { wall, cpu: user + system };
}
