import { readFile, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { findLibraries } from "../../../src/device/ggml/find-libraries.ts";
import { PACKAGE_VERSION, packages } from "../../../src/device/ggml/packages.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import listings from "./package-listings.json" with { type: "json" };
import { installTrees, type PackageName, type Tree } from "./package-trees.ts";

const version = PACKAGE_VERSION;

/** What is chosen on a platform where packages are installed, by names below node_modules/@node-llama-cpp. */
async function chosen(platform: string, trees: readonly Tree[]): Promise<Record<string, unknown>> {
  const folder = await temporaryFolder();
  const from = await installTrees(folder, trees);
  const { base, registry, cpu, gpus } = await findLibraries(from, platform);
  const short = (path: string): string => relative(`${folder}/node_modules/@node-llama-cpp`, path);
  return {
    base: short(base),
    registry: short(registry),
    cpu: cpu.map(short),
    gpus: gpus.map((gpu) => ("file" in gpu ? short(gpu.file) : gpu.problem)),
  };
}

function installed(...names: PackageName[]): Tree[] {
  return names.map((name) => ({ name, version }));
}

const cpuOfLinuxX64 = [
  ["alderlake", "cannonlake", "cascadelake", "cooperlake", "haswell", "icelake", "ivybridge", "piledriver"],
  ["sandybridge", "sapphirerapids", "skylakex", "sse42", "x64", "zen4"],
].flat();

describe("findLibraries", () => {
  // The names are those of the listings; of packages for macOS and Windows the registry had an older version only.
  test.each<{ platform: string; names: PackageName[]; base: string; registry: string; gpus: string[]; cpus: number }>([
    {
      platform: "linux-x64",
      names: ["linux-x64"],
      base: "linux-x64/bins/linux-x64/libggml-base.so",
      registry: "linux-x64/bins/linux-x64/libggml.v0.5.0.so",
      gpus: [],
      cpus: 14,
    },
    {
      platform: "linux-x64",
      names: ["linux-x64", "linux-x64-cuda"],
      base: "linux-x64-cuda/bins/linux-x64-cuda/libggml-base.so",
      registry: "linux-x64-cuda/bins/linux-x64-cuda/libggml.cuda.v0.5.0.so",
      gpus: ["linux-x64-cuda/bins/linux-x64-cuda/libggml-cuda.so"],
      cpus: 14,
    },
    {
      platform: "linux-x64",
      names: ["linux-x64", "linux-x64-cuda-ext"],
      base: "linux-x64/bins/linux-x64/libggml-base.so",
      registry: "linux-x64/bins/linux-x64/libggml.v0.5.0.so",
      gpus: ["linux-x64-cuda-ext/bins/linux-x64-cuda/fallback/libggml-cuda.so"],
      cpus: 14,
    },
    {
      platform: "linux-x64",
      names: ["linux-x64", "linux-x64-vulkan"],
      base: "linux-x64-vulkan/bins/linux-x64-vulkan/libggml-base.so",
      registry: "linux-x64-vulkan/bins/linux-x64-vulkan/libggml.vulkan.v0.5.0.so",
      gpus: ["linux-x64-vulkan/bins/linux-x64-vulkan/libggml-vulkan.so"],
      cpus: 14,
    },
    {
      platform: "linux-x64",
      names: ["linux-x64", "linux-x64-cuda", "linux-x64-cuda-ext", "linux-x64-vulkan"],
      base: "linux-x64-cuda/bins/linux-x64-cuda/libggml-base.so",
      registry: "linux-x64-cuda/bins/linux-x64-cuda/libggml.cuda.v0.5.0.so",
      gpus: [
        "linux-x64-cuda/bins/linux-x64-cuda/libggml-cuda.so",
        "linux-x64-cuda-ext/bins/linux-x64-cuda/fallback/libggml-cuda.so",
        "linux-x64-vulkan/bins/linux-x64-vulkan/libggml-vulkan.so",
      ],
      cpus: 14,
    },
    {
      platform: "linux-arm64",
      names: ["linux-arm64"],
      base: "linux-arm64/bins/linux-arm64/libggml-base.so",
      registry: "linux-arm64/bins/linux-arm64/libggml.v0.5.0.so",
      gpus: [],
      cpus: 8,
    },
    {
      platform: "linux-arm",
      names: ["linux-armv7l"],
      base: "linux-armv7l/bins/linux-armv7l/libggml-base.so",
      registry: "linux-armv7l/bins/linux-armv7l/libggml.v0.5.0.so",
      gpus: [],
      cpus: 1,
    },
    {
      platform: "darwin-arm64",
      names: ["mac-arm64-metal"],
      base: "mac-arm64-metal/bins/mac-arm64-metal/libggml-base.dylib",
      registry: "mac-arm64-metal/bins/mac-arm64-metal/libggml.metal.v0.4.0.dylib",
      gpus: ["mac-arm64-metal/bins/mac-arm64-metal/libggml-metal.so"],
      cpus: 3,
    },
    {
      platform: "darwin-x64",
      names: ["mac-x64"],
      base: "mac-x64/bins/mac-x64/libggml-base.dylib",
      registry: "mac-x64/bins/mac-x64/libggml.v0.4.0.dylib",
      gpus: [],
      cpus: 14,
    },
    {
      platform: "win32-x64",
      names: ["win-x64", "win-x64-cuda", "win-x64-cuda-ext", "win-x64-vulkan"],
      base: "win-x64-cuda/bins/win-x64-cuda/ggml-base.dll",
      registry: "win-x64-cuda/bins/win-x64-cuda/ggml.cuda.v0.4.0.dll",
      gpus: [
        "win-x64-cuda/bins/win-x64-cuda/ggml-cuda.dll",
        "win-x64-cuda-ext/bins/win-x64-cuda/fallback/ggml-cuda.dll",
        "win-x64-vulkan/bins/win-x64-vulkan/ggml-vulkan.dll",
      ],
      cpus: 9,
    },
    {
      platform: "win32-arm64",
      names: ["win-arm64"],
      base: "win-arm64/bins/win-arm64/ggml-base.dll",
      registry: "win-arm64/bins/win-arm64/ggml.v0.4.0.dll",
      gpus: [],
      cpus: 1,
    },
  ])("$platform with $names", async ({ platform, names, base, registry, gpus, cpus }) => {
    const { cpu, ...rest } = await chosen(platform, installed(...names));
    expect(rest).toEqual({ base, registry, gpus });
    expect(cpu).toHaveLength(cpus);
  });

  test("takes the backends for every kind of CPU and nothing else", async () => {
    const { cpu } = await chosen("linux-x64", installed("linux-x64"));
    expect(cpu).toEqual(cpuOfLinuxX64.map((kind) => `linux-x64/bins/linux-x64/libggml-cpu-${kind}.so`));
  });

  test("says which package is missing, or that there is none", async () => {
    await expect(chosen("linux-arm64", [])).rejects.toThrow(
      "engine ggml: no library for linux-arm64; run npm install --save-exact @node-llama-cpp/linux-arm64@3.22.1",
    );
    await expect(chosen("sunos-x64", [])).rejects.toThrow(
      "engine ggml: no library exists for sunos-x64; use engine tfjs",
    );
    await expect(chosen("linux-x64", installed("linux-x64-cuda-ext"))).rejects.toThrow(
      "engine ggml: @node-llama-cpp/linux-x64-cuda-ext needs another package; run npm install --save-exact @node-llama-cpp/linux-x64@3.22.1",
    );
  });

  test("sets a package of another version aside", async () => {
    const trees = [...installed("linux-x64"), { name: "linux-x64-cuda", version: "3.21.1" } as const];
    expect(await chosen("linux-x64", trees)).toMatchObject({
      base: "linux-x64/bins/linux-x64/libggml-base.so",
      gpus: [
        "expected @node-llama-cpp/linux-x64-cuda in version 3.22.1, found 3.21.1; run npm install --save-exact @node-llama-cpp/linux-x64-cuda@3.22.1",
      ],
    });
    await expect(chosen("linux-x64", [{ name: "linux-x64", version: "3.21.1" }])).rejects.toThrow(
      "engine ggml: expected @node-llama-cpp/linux-x64 in version 3.22.1, found 3.21.1",
    );
  });

  test.each(["libggml-base.so", "libggml.cuda.v0.5.0.so", "libggml-cuda.so"])(
    "sets a package that lost its %s aside, and uses what is whole",
    async (lost) => {
      const folder = await temporaryFolder();
      const from = await installTrees(folder, installed("linux-x64", "linux-x64-cuda"));
      const root = join(folder, "node_modules/@node-llama-cpp/linux-x64-cuda");
      await rm(join(root, "bins/linux-x64-cuda", lost));
      const { cpu, gpus } = await findLibraries(from, "linux-x64");
      expect(cpu).toHaveLength(14);
      expect(gpus).toEqual([
        {
          package: packages[0],
          problem: expect.stringMatching(/ lacks a library; reinstall @node-llama-cpp\/linux-x64-cuda$/),
        },
      ]);
    },
  );

  test("sets a backend aside that was built with another ggml", async () => {
    const vulkan = { name: "linux-x64-vulkan", version, contents: { "libggml-base": "another build" } } as const;
    expect(await chosen("linux-x64", [...installed("linux-x64-cuda"), vulkan])).toMatchObject({
      base: "linux-x64-cuda/bins/linux-x64-cuda/libggml-base.so",
      gpus: [
        "linux-x64-cuda/bins/linux-x64-cuda/libggml-cuda.so",
        expect.stringMatching(/^it was built with another ggml than .+libggml-base\.so, and one process holds one$/),
      ],
    });
  });
});

describe("packages", () => {
  test("package.json pins the version of the table", async () => {
    const manifest = JSON.parse(await readFile("package.json", "utf8")) as {
      optionalDependencies: Record<string, string>;
    };
    expect(manifest.optionalDependencies).toMatchObject({
      "@node-llama-cpp/linux-arm64": PACKAGE_VERSION,
      "@node-llama-cpp/linux-x64": PACKAGE_VERSION,
    });
  });

  test("those for Linux x64 share one build of ggml, so that their backends combine", () => {
    const onLinux = packages.filter(({ platform, core }) => platform === "linux-x64" && core);
    const builds = onLinux.map(({ name }) => listings[name as PackageName]);
    expect(builds.map((build) => "baseSha256" in build && build.baseSha256)).toEqual(
      Array(3).fill("6c342c8aeb20cb31a18099d6f79de4de6703814d1cfd5c4d754a8643087e486e"),
    );
    expect(builds.map((build) => build.version)).toEqual(Array(3).fill(PACKAGE_VERSION));
  });

  test("docs/engines.md has a row for each", async () => {
    const docs = await readFile("docs/engines.md", "utf8");
    for (const { name, gpu } of packages) {
      const row = docs.split("\n").find((line) => line.startsWith(`| \`${name}\``));
      expect(row, name).toContain(gpu ? gpu.api.title : "-");
      for (const library of [...(gpu?.api.runtime ?? []), ...(gpu?.api.driver ?? [])]) expect(row).toContain(library);
    }
  });
});
