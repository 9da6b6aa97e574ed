import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "./source-files.ts";

/** What `npm pack` puts into the package, but for what a build makes. */
function packedFiles(): ReadonlySet<string> {
  const printed = execFileSync("npm", ["pack", "--dry-run", "--ignore-scripts", "--json"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [{ files } = { files: [] }] = JSON.parse(printed) as { files: readonly { path: string }[] }[];
  return new Set(files.map(({ path }) => path));
}

describe("the package", () => {
  const files = packedFiles();

  test("holds what its documents link to", () => {
    const documents = [...files].filter((path) => /^(README\.md|(docs|experiments)\/.*\.md)$/.test(path));
    expect(documents).toContain("docs/experiments.md");
    const lost = documents.flatMap((document) => {
      const links = readFileSync(join(root, document), "utf8").matchAll(/\]\(([^)\s#]+)[^)\s]*\)/g);
      const paths = Array.from(links, ([, link = ""]) => link).filter((link) => !/^[a-z]+:/.test(link));
      return paths
        .map((path) => normalize(join(dirname(document), path)))
        .filter(
          (path) => !files.has(path) && ![...files].some((file) => file.startsWith(`${path.replace(/\/$/, "")}/`)),
        );
    });
    expect(lost).toEqual([]);
  });

  test("holds what ships by a name, with its models, rows and schemas", () => {
    const needed = ["experiments/demo.yaml", "search-spaces/stack.yaml", "schemas/experiment.json", "LICENSE"];
    const demo = ["base", "craft", "nature", "news"].map((name) => `experiments/demo/${name}/model.safetensors`);
    expect([...needed, ...demo].filter((path) => !files.has(path) || !existsSync(join(root, path)))).toEqual([]);
  });
});
