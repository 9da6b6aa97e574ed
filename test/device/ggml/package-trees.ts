import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import listings from "./package-listings.json" with { type: "json" };

export type PackageName = keyof typeof listings;

export interface Tree {
  readonly name: PackageName;
  /** What its package.json says; that of `packages.ts` unless given. */
  readonly version: string;
  /** Contents of files that are not empty, by a part of their path; a string that starts with / is a link's target. */
  readonly contents?: Readonly<Record<string, string | Uint8Array>>;
}

/** Installs packages below a folder by the names of their files alone; returns what a module in the folder is called. */
export async function installTrees(folder: string, trees: readonly Tree[]): Promise<string> {
  for (const { name, version, contents = {} } of trees) {
    for (const path of listings[name].files) {
      const target = join(folder, "node_modules/@node-llama-cpp", name, path);
      await mkdir(dirname(target), { recursive: true });
      const [, content = ""] = Object.entries(contents).find(([part]) => path.includes(part)) ?? [];
      if (path === "package.json") await writeFile(target, packageJson(name, version));
      else if (typeof content === "string" && content.startsWith("/")) await symlink(content, target);
      else await writeFile(target, content);
    }
  }
  return join(folder, "module.js");
}

/** As those packages export themselves. */
function packageJson(name: string, version: string): string {
  return JSON.stringify({
    name: `@node-llama-cpp/${name}`,
    version,
    type: "module",
    exports: { ".": "./dist/index.js" },
  });
}
