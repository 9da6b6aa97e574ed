import { expect, test } from "vitest";
import { sourceFiles } from "./source-files.ts";

interface Declared {
  readonly name: string;
  readonly path: string;
  readonly isExported: boolean;
  readonly isType: boolean;
}

const files = sourceFiles("src");
const declaration =
  /^(export )?(?:declare )?(?:abstract )?(?:async )?(interface|type|class|enum|function\*?|const) (\w+)/gm;
const declared: readonly Declared[] = files.flatMap(({ path, text }) =>
  Array.from(text.matchAll(declaration), ([, exported, kind = "", name = ""]) => ({
    name,
    path,
    isExported: exported !== undefined,
    isType: ["interface", "type", "class", "enum"].includes(kind),
  })),
);

/** Names that several declarations share, with the files of these. */
function shared(among: readonly Declared[]): string[] {
  return Array.from(new Set(among.map(({ name }) => name))).flatMap((name) => {
    const same = among.filter((one) => one.name === name);
    const isClash = same.length > 1 && same.some(({ isExported }) => isExported);
    return isClash ? [`${name}: ${same.map(({ path }) => path).join(", ")}`] : [];
  });
}

test("an exported name has one meaning", () => {
  expect(shared(declared.filter(({ isExported }) => isExported))).toEqual([]);
});

test("no file has a type of its own under the name of one that others import", () => {
  expect(shared(declared.filter(({ isType }) => isType))).toEqual([]);
});
test("what is exported is used by another file", () => {
  const all = [
    ...files,
    ...["test", "bench"].flatMap((folder) =>
      sourceFiles(folder).map(({ path, text }) => ({ path: `${folder}/${path}`, text })),
    ),
  ];
  const words = new Map(all.map(({ path, text }) => [path, new Set(text.match(/\w+/g))]));
  const unused = declared.filter(
    ({ name, path, isExported, isType }) =>
      // A type may be the type of something that others use.
      isExported && !isType && !Array.from(words).some(([other, used]) => other !== path && used.has(name)),
  );
  expect(unused.map(({ name, path }) => `${path}: ${name}`)).toEqual([]);
});
