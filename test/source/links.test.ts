import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { root } from "./source-files.ts";

const documents = [
  join(root, "README.md"),
  ...["docs", "bench", "test/parity"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(root, folder, name)),
  ),
];

/** What a heading is linked by: its words in small letters, joined by hyphens. */
function anchorsIn(file: string): string[] {
  const headings = readFileSync(file, "utf8").matchAll(/^#+ (.*)$/gm);
  return Array.from(headings, ([, text = ""]) =>
    text
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

test.each(documents.map((file) => [relative(root, file), file]))("the links of %s lead somewhere", (_, file) => {
  const links = Array.from(readFileSync(file, "utf8").matchAll(/\]\(([^)\s]+)\)/g), ([, link = ""]) => link);
  const lost = links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? file : join(dirname(file), path);
    if (!existsSync(target)) return true;
    return anchor !== undefined && target.endsWith(".md") && !anchorsIn(target).includes(anchor);
  });
  expect(lost).toEqual([]);
});
