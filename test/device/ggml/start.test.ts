import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import type { Ggml } from "../../../src/device/ggml/library.ts";
import { PACKAGE_VERSION } from "../../../src/device/ggml/packages.ts";
import { hardwareOf } from "../../../src/device/ggml/start.ts";
import { compiled } from "../../compiled.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { installTrees, type PackageName } from "./package-trees.ts";

const version = PACKAGE_VERSION;
const onLinuxX64 = process.platform === "linux" && process.arch === "x64";
const cpuPackage = onLinuxX64
  ? join(dirname(createRequire(import.meta.url).resolve("@node-llama-cpp/linux-x64")), "../bins/linux-x64")
  : "";

interface Printed {
  first: unknown;
  second: unknown;
  same: boolean;
  withoutGraphs?: string;
}

/** A process of its own for every case: none can load two builds of ggml. */
async function start(from: string, ...then: string[]): Promise<Printed> {
  const script = compiled("test/device/ggml/start-process");
  const env = { ...process.env, GGML_CUDA_DISABLE_GRAPHS: undefined };
  const { stdout } = await promisify(execFile)(process.execPath, [script, from, ...then], { env });
  return JSON.parse(stdout) as Printed;
}

/** A package in which the real ggml stands under the file names of the GPU's package; `backend` is what the GPU's is made of. */
async function install(
  name: PackageName,
  contents: Record<string, string | Uint8Array>,
  others: Record<string, Uint8Array> = {},
): Promise<string> {
  const names = ["libggml-base.so", ...["x64", "sse42", "haswell"].map((kind) => `libggml-cpu-${kind}.so`)];
  const real = Object.fromEntries(names.map((file) => [file, join(cpuPackage, file)]));
  const registry = join(cpuPackage, "libggml.v0.5.0.so");
  const all = {
    ...contents,
    ...real,
    "libggml.v": registry,
    "libggml.cuda.v": registry,
    "libggml.vulkan.v": registry,
    ...others,
  };
  return installTrees(await temporaryFolder(), [{ name, version, contents: all }]);
}

async function patched(file: string, found: string, written: string): Promise<Uint8Array> {
  const bytes = await readFile(join(cpuPackage, file));
  const at = bytes.indexOf(`${found}\0`);
  expect(at, `${found} in ${file}`).toBeGreaterThan(0);
  bytes.write(written, at);
  return bytes;
}

function hardwareNamed(name: string): string {
  return hardwareOf({ deviceName: () => name, deviceDescription: () => " NVIDIA H200 " } as unknown as Ggml, null);
}

test("a device is named by API and hardware, without its number among others", () => {
  expect(["CUDA0", "CUDA12", "CPU"].map(hardwareNamed)).toEqual([
    "CUDA (NVIDIA H200)",
    "CUDA (NVIDIA H200)",
    "CPU (NVIDIA H200)",
  ]);
});

describe.skipIf(!onLinuxX64)("startGgml (fixtures for Linux x64 only)", () => {
  test("computes on the CPU where a GPU's backend lacks a library, and says which", async () => {
    const backend = await patched("libggml-cpu-x64.so", "libm.so.6", "libq.so.9");
    const from = await install("linux-x64-cuda", { "libggml-cuda.so": backend });
    const { first, same, withoutGraphs } = await start(from);
    expect(withoutGraphs).toBe("1");
    expect(first).toEqual({
      cpu: "CPU",
      gpu: false,
      attempts: [expect.stringMatching(/^it wants CUDA 13: .*(libc\w+\.so\.13? not found|libq\.so\.9: cannot open)/)],
    });
    expect(same).toBe(true);
  });

  test("computes on the CPU where a GPU's backend finds none", async () => {
    const from = await install("linux-x64-vulkan", { "libggml-vulkan.so": join(cpuPackage, "libggml-cpu-x64.so") });
    const started = await start(from);
    expect(started).toEqual({
      first: { cpu: "CPU", gpu: false, attempts: ["it finds no GPU for Vulkan"] },
      second: started.first,
      same: true,
    });
  });

  test("says twice, in the same words, that ggml is another one", async () => {
    const base = await patched("libggml-base.so", "0.25.1", "0.25.2");
    const from = await installTrees(await temporaryFolder(), [
      { name: "linux-x64", version, contents: { "libggml-base.so": base } },
    ]);
    const { first, second } = await start(from);
    expect(first).toEqual({
      error: expect.stringMatching(/^engine ggml: expected ggml 0\.25\.1 in .+, found 0\.25\.2; /),
    });
    expect(second).toEqual(first);
  });

  test("says twice what is wrong with a library that does not load", async () => {
    const contents = { "libggml-base.so": "not a library" };
    const from = await installTrees(await temporaryFolder(), [{ name: "linux-x64", version, contents }]);
    const { first, second } = await start(from);
    expect(first).toEqual({ error: expect.stringMatching(/^engine ggml: .*libggml-base\.so.*/) });
    expect(second).toEqual(first);
  });

  test.each(["libggml-base.so", "libggml.v", "libggml-cpu-x64.so"])(
    "says which library was installed in part: %s",
    async (name) => {
      const real = await readFile(join(cpuPackage, name === "libggml.v" ? "libggml.v0.5.0.so" : name));
      const part = real.subarray(0, real.length >> 1);
      const from = await install("linux-x64", {}, { [name]: part });
      const { first, second } = await start(from);
      expect(first).toEqual({
        error: expect.stringMatching(/^engine ggml: .+\.so: it has \d+ bytes of at least \d+; install the package/),
      });
      expect(second).toEqual(first);
    },
  );

  test("computes on the CPU where a GPU's backend was installed in part", async () => {
    const real = await readFile(join(cpuPackage, "libggml-cpu-x64.so"));
    const from = await install("linux-x64-cuda", { "libggml-cuda.so": real.subarray(0, 5e5) });
    const { first } = await start(from);
    expect(first).toMatchObject({
      gpu: false,
      attempts: [expect.stringMatching(/libggml-cuda\.so: it has 500000 bytes/)],
    });
  });

  test("shows what ggml said before it ended the process", async () => {
    const failed = await start(import.meta.url, "abort").catch(
      (error: unknown) => error as { signal: string; stderr: string },
    );
    expect(failed).toMatchObject({
      signal: "SIGABRT",
      stderr: expect.stringMatching(
        /^ggml ended this process: made-up\.c:7: on purpose; before that it said: .*failed to load \/nowhere\/libggml-none\.so/,
      ),
    });
  });
});
