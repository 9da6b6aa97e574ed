import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import {
  exportStarterKit,
  planStarterKit,
  type StarterKitInput,
} from "../../src/export/starter-kit/export-starter-kit.ts";
import type { WeightwiseRecipe } from "../../src/merge/recipe.ts";
import { allWeights, type Model } from "../../src/model/architecture.ts";
import { openModel } from "../../src/model/open-model.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyConfig } from "../tiny-model.ts";

const COMMITS = { base: "0".repeat(40), nature: "a1".repeat(20), craft: "2b".repeat(20) };

const LAYERS = 5;

const model: Model = openModel({ folder: "tiny", config: tinyConfig({ layers: LAYERS }) }, "f32");

/** Values that no rounding leaves alone, with all forms that JavaScript prints. */
const VALUES = [1 / 3, -0, 1, 1e-9, -2.5e-7, 0.1 + 0.2, 1e21, 5e-324];

function curve(offset: number): { layers: number[]; rest: number } {
  const value = (i: number): number => VALUES[(i + offset) % VALUES.length]!;
  return { layers: Array.from({ length: LAYERS }, (_, i) => value(i)), rest: value(LAYERS) };
}

const groups = ["attention", "mlp", "norm", "embedding"];

const recipe: WeightwiseRecipe = {
  method: "task_arithmetic",
  parameters: {
    weight: Object.fromEntries(groups.map((group, i) => [group, { nature: curve(i), craft: curve(i + 3) }])),
  },
};

function input(changes: Partial<StarterKitInput> = {}): StarterKitInput {
  return {
    experiment: {
      name: "tiny-merge",
      base: `org/base@${COMMITS.base}`,
      experts: [
        { name: "nature", path: `org/nature.v2@${COMMITS.nature}` },
        { name: "craft", path: `org/craft@${COMMITS.craft}` },
      ],
    },
    recipe,
    measure: () => Promise.reject(new Error("not asked for")),
    model,
    baseTensors: new Map(allWeights(model).map(({ name }) => [name, { dtype: "bf16" }])),
    version: "1.2.3",
    ...changes,
  };
}

const ENTRY_POINT_KIT = {
  "llm_merging/merging/Merges.py": "class Merges: ...\n",
  "llm_merging/merging/__init__.py": "",
  "llm_merging/main.py": 'from importlib.metadata import entry_points\n\nfound = entry_points(group="x")\n',
  // As in the kit, the last line has no newline.
  "llm_merging/setup.py": `setup(
    entry_points={
        "llm_merging.merging.Merges": [
            "other = llm_merging.merging.Other:Other"
        ]
    },
)`,
};

const DICTIONARY_KIT = {
  "llm_merging/merging/Merges.py": "class Merges: ...\n",
  "llm_merging/merging/__init__.py":
    "from llm_merging.merging.Other import Other\nfrom llm_merging.merging.Last import Last",
  "llm_merging/main.py": `from llm_merging.merging import *

def methods():
    loaded_merges = {
        "other": Other,
    }
    return loaded_merges
`,
  "setup.py": "entry_points={}\n",
};

type KitFiles = Readonly<Record<string, string>>;

async function kitOf(files: KitFiles): Promise<string> {
  const folder = await temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

async function exported(changes: Partial<StarterKitInput> = {}): Promise<string> {
  const { module } = await exportStarterKit(input(changes), await kitOf(DICTIONARY_KIT));
  return readFileSync(module, "utf8");
}

/** The floats of a piece of Python. */
function floats(python: string): number[] {
  return Array.from(python.matchAll(/-?\d+(?:\.\d+)?(?:e[+-]\d+)|-?\d+\.\d+/g), ([text]) => Number(text));
}

describe("starterKitModule", () => {
  test("holds the recipe's own doubles", async () => {
    const text = await exported();
    const table = text.slice(text.indexOf("COEFFICIENTS = "), text.indexOf("\n# Name, group"));
    const curves = groups.flatMap((_, i) => [curve(i), curve(i + 3)]);
    expect(floats(table)).toEqual(curves.flatMap(({ layers, rest }) => [...layers, rest]));
  });

  test("names every weight of the model with its group, layers and dtype", async () => {
    const wide = new Set([
      "model.norm.weight",
      ...allWeights(model).flatMap(({ name, layer }) => (layer === 2 ? [name] : [])),
    ]);
    const dtypes = (name: string): "f32" | "f16" => (wide.has(name) ? "f32" : "f16");
    const baseTensors = new Map(allWeights(model).map(({ name }) => [name, { dtype: dtypes(name) }]));
    const text = await exported({ baseTensors });
    const rows = text.matchAll(/^ {4}\("(.*)", "(.*)", torch\.(.*), (?:range\((\d+), (\d+)\)|\[(.*)\])\),$/gm);
    const found = Array.from(rows).flatMap(([, name = "", group, dtype, from, to, list = ""]) => {
      const layers = from === undefined ? list.split(", ") : [...Array(Number(to)).keys()].slice(Number(from));
      return layers.map((layer) => [name.replace("{}", String(layer)), group, dtype]);
    });
    const torch = { f32: "float32", f16: "float16" };
    const expected = allWeights(model).map(({ name, group }) => [name, group, torch[dtypes(name)]]);
    expect(new Set(found.map(String))).toEqual(new Set(expected.map(String)));
    expect(found).toHaveLength(expected.length);
    expect(text).toContain("MODEL_DTYPE = torch.float16");
  });

  test("calls the coefficients of a tensor after its kind where the recipe has them by kind", async () => {
    const kinds = [...new Set(allWeights(model).map(({ tensor }) => tensor))];
    const weight = Object.fromEntries(kinds.map((kind, i) => [kind, { nature: curve(i), craft: curve(i + 3) }]));
    const text = await exported({ recipe: { method: "task_arithmetic", parameters: { weight } } });
    const table = text.slice(text.indexOf("COEFFICIENTS = "), text.indexOf("\n# Name, group"));
    const curves = kinds.flatMap((_, i) => [curve(i), curve(i + 3)]);
    expect(floats(table)).toEqual(curves.flatMap(({ layers, rest }) => [...layers, rest]));
    expect(text).toContain('("model.layers.{}.self_attn.q_proj.weight", "q_proj", torch.bfloat16, range(0, 5)),');
    expect(text).toContain('("model.norm.weight", "norm", torch.bfloat16, [None]),');
  });

  test("lists the experts at their commits, and the base", async () => {
    const text = await exported();
    expect(text).toContain(`"base": ("org/base", "${COMMITS.base}"),`);
    expect(text).toContain(`"nature": ("org/nature.v2", "${COMMITS.nature}"),`);
    expect(text).toContain('MERGED = ["nature", "craft"]');
  });

  test("of a single model names no other and has no coefficients", async () => {
    const text = await exported({ recipe: { method: "passthrough", model: "craft" } });
    expect(text).toContain('MERGED = ["craft"]');
    expect(text).toContain('return models["craft"].read(name).clone()');
    expect(text).not.toMatch(/nature|COEFFICIENTS/);
  });

  test.each<WeightwiseRecipe>([recipe, { ...recipe, method: "linear" }, { method: "passthrough", model: "base" }])(
    "of $method is ASCII, short of line, without paths and device numbers",
    async (given) => {
      const text = await exported({ recipe: given });
      expect(text).toMatch(/^[\n\x20-\x7e]*$/);
      expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(130);
      expect(text).not.toMatch(/cuda:\d|"\/|CUDA_VISIBLE|\bhome\b|\/tmp|undefined|\[object/);
      expect(text.match(/^class \w+\(Merges\):$/gm)).toEqual(["class TinyMerge(Merges):"]);
      expect(text).not.toMatch(/\n{4}/);
    },
  );
});

describe("exportStarterKit", () => {
  test.each([
    {
      generation: "entry points",
      files: ENTRY_POINT_KIT,
      registration: ['llm_merging/setup.py: "tiny_merge = llm_merging.merging.TinyMerge:TinyMerge",'],
      refresh: ["python llm_merging/setup.py -q egg_info"],
    },
    {
      generation: "a dictionary",
      files: DICTIONARY_KIT,
      registration: [
        "llm_merging/merging/__init__.py: from llm_merging.merging.TinyMerge import TinyMerge",
        'llm_merging/main.py: "tiny_merge": TinyMerge,',
      ],
      refresh: [],
    },
  ])("registers in a kit with $generation by a patch that git applies", async ({ files, registration, refresh }) => {
    for (const ends of ["\n", "\r\n"]) {
      const written = mapValues(files, (text) => text.replaceAll("\n", ends));
      const kit = await kitOf(written);
      const result = await exportStarterKit(input(), kit);
      expect(result.registration).toEqual(registration);
      expect(result.commands).toEqual([
        "git apply TinyMerge.patch",
        ...refresh,
        "PYTHONPATH=. python llm_merging/main.py -m tiny_merge",
      ]);
      execFileSync("git", ["apply", "--check", result.patch!], { cwd: kit, stdio: "pipe" });
      execFileSync("git", ["apply", result.patch!], { cwd: kit, stdio: "pipe" });
      for (const [path, before] of Object.entries(written)) {
        const added = registration
          .filter((line) => line.startsWith(`${path}: `))
          .map((line) => line.slice(path.length + 2));
        const after = readFileSync(join(kit, path), "utf8").split("\n");
        expect(after.filter((line) => !added.includes(line.trim())).join("\n")).toBe(before);
        expect(after).toHaveLength(before.split("\n").length + added.length);
        expect(after.every((line, i) => i === after.length - 1 || line.endsWith(ends.slice(0, -1)))).toBe(true);
      }
    }
  });

  test("writes no patch where the class is registered, and replaces its own module", async () => {
    const kit = await kitOf(DICTIONARY_KIT);
    const first = await exportStarterKit(input(), kit);
    execFileSync("git", ["apply", first.patch!], { cwd: kit });
    const second = await exportStarterKit(input({ version: "1.2.4" }), kit);
    expect(second).toEqual({
      checkout: kit,
      module: first.module,
      registration: [],
      commands: ["PYTHONPATH=. python llm_merging/main.py -m tiny_merge"],
    });
    expect(readFileSync(first.module, "utf8")).toContain("Exported by evomerge 1.2.4");
  });

  test("tells absolute paths of a checkout that is named relatively", async () => {
    const kit = await kitOf(DICTIONARY_KIT);
    const { checkout, module, patch } = await exportStarterKit(input(), relative("", kit));
    expect([checkout, module, patch]).toEqual([
      kit,
      join(kit, "llm_merging/merging/TinyMerge.py"),
      join(kit, "TinyMerge.patch"),
    ]);
  });

  test("patches after other methods were added", async () => {
    const kit = await kitOf(DICTIONARY_KIT);
    for (const name of ["one", "two"]) {
      const experiment = { ...input().experiment, name };
      const { patch } = await exportStarterKit(input({ experiment }), kit);
      execFileSync("git", ["apply", patch!], { cwd: kit });
    }
    expect(readFileSync(join(kit, "llm_merging/main.py"), "utf8")).toContain('"two": Two,\n        "one": One,\n');
  });

  test("imports into a package that imports nothing yet", async () => {
    const kit = await kitOf({ ...DICTIONARY_KIT, "llm_merging/merging/__init__.py": "" });
    const { patch } = await exportStarterKit(input(), kit);
    execFileSync("git", ["apply", patch!], { cwd: kit });
    expect(readFileSync(join(kit, "llm_merging/merging/__init__.py"), "utf8")).toBe(
      "from llm_merging.merging.TinyMerge import TinyMerge\n",
    );
  });

  test.each(["/models/craft", "org/craft@main", "org/craft"])("refuses the expert %s", async (path) => {
    const experiment = { ...input().experiment, experts: [{ name: "craft", path }] };
    const kit = await kitOf(DICTIONARY_KIT);
    expect(await refusal(exportStarterKit(input({ experiment }), kit))).toBe(
      `expert craft: expected a Hugging Face repository at a commit, as org/name@<40 hex digits>, which the starter kit can download, found ${path}; push it to the Hub and name that commit in the experiment`,
    );
    expect(existsSync(join(kit, "llm_merging/merging/TinyMerge.py"))).toBe(false);
  });

  test("refuses a folder that is no checkout", async () => {
    const folder = await temporaryFolder();
    expect(await refusal(exportStarterKit(input(), folder))).toBe(
      `${join(folder, "llm_merging/merging/Merges.py")}: no such file or directory; expected a checkout of the LLM-Merging starter kit in ${folder}`,
    );
  });

  test("refuses a module that it did not write, and leaves it", async () => {
    const path = "llm_merging/merging/TinyMerge.py";
    const kit = await kitOf({ ...DICTIONARY_KIT, [path]: "class TinyMerge: ...\n" });
    expect(await refusal(exportStarterKit(input(), kit))).toContain(
      "no export wrote this file; rename the experiment or remove the file",
    );
    expect(readFileSync(join(kit, path), "utf8")).toBe("class TinyMerge: ...\n");
    expect(existsSync(join(kit, "TinyMerge.patch"))).toBe(false);
  });

  test.each(["TinyMerge.patch", "llm_merging/merging/TinyMerge.py"])(
    "replaces its own %s, and none that somebody wrote or edited, before or after it was planned",
    async (path) => {
      const kit = await kitOf(DICTIONARY_KIT);
      await exportStarterKit(input(), kit);
      const own = readFileSync(join(kit, path), "utf8");
      await exportStarterKit(input({ version: "1.2.4" }), kit);
      expect(readFileSync(join(kit, path), "utf8")).toBe(
        own.replaceAll("1.2.3", "1.2.4").replace(/[0-9a-f]{64}/, seal(kit, path)),
      );
      for (const [text, fault] of [
        [
          `${own}# my own line\n`,
          "was changed since an export wrote it; rename the experiment or move the file elsewhere",
        ],
        ["my own", "no export wrote this file; rename the experiment or remove the file"],
      ] as const) {
        const write = await planStarterKit(input(), kit);
        const before = readFileSync(join(kit, path), "utf8");
        writeFileSync(join(kit, path), text);
        for (const attempt of [write, () => planStarterKit(input(), kit)]) {
          expect(await refusal(attempt())).toBe(`${join(kit, path)}: ${fault}`);
        }
        expect(readFileSync(join(kit, path), "utf8")).toBe(text);
        writeFileSync(join(kit, path), before);
      }
      rmSync(join(kit, path));
      symlinkSync("nowhere", join(kit, path));
      expect(await refusal(exportStarterKit(input(), kit))).toContain("no export wrote this file");
    },
  );

  test.each([
    ["llm_merging/main.py", ENTRY_POINT_KIT, "expected a dictionary loaded_merges or a call of entry_points"],
    ["llm_merging/setup.py", ENTRY_POINT_KIT, "expected a list of merge methods to add "],
  ])("refuses a kit whose %s lists no methods", async (path, files, fault) => {
    const kit = await kitOf({ ...files, [path]: "pass\n" });
    expect(await refusal(exportStarterKit(input(), kit))).toContain(`${join(kit, path)}: ${fault}`);
  });
});

/** The hash that a file in a kit tells of itself. */
function seal(kit: string, path: string): string {
  return /[0-9a-f]{64}/.exec(readFileSync(join(kit, path), "utf8"))?.[0] ?? "none";
}

function mapValues(files: KitFiles, map: (text: string) => string): KitFiles {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [path, map(text)]));
}
