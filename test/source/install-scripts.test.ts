import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Fields of npm's files that say which packages run programs when they are installed, and which may. */
interface Npm {
  readonly allowScripts: Readonly<Record<string, boolean>>;
  readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>;
}

/** npm warns a newcomer of every package that is in neither list. */
test("every package with an install script is denied it, and nothing else is named", () => {
  const [{ allowScripts }, { packages }] = ["package.json", "package-lock.json"].map(
    (name) => JSON.parse(readFileSync(name, "utf8")) as Npm,
  ) as [Npm, Npm];
  const withScripts = Object.entries(packages)
    .filter(([, { hasInstallScript = false }]) => hasInstallScript)
    .map(([path]) => path.replace(/^.*node_modules\//, ""));
  expect(allowScripts).toEqual(Object.fromEntries(withScripts.map((name) => [name, false])));
});
