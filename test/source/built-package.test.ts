import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, inject, test } from "vitest";
import { childPrograms } from "../../src/files/child-program.ts";
import { root } from "./source-files.ts";

const dist = join(inject("compiled"), "dist");
const programs = readdirSync(dist, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".js"))
  .map((path) => ({ path, text: readFileSync(join(dist, path), "utf8") }));

describe("the built package", () => {
  test("has every program where it is looked for, with its map", () => {
    const built = ["cli/main.ts", ...Object.values(childPrograms)].map((file) => file.replace(/[jt]s$/, "js"));
    const files = ["index.js", ...built.flatMap((file) => [file, `${file}.map`])];
    expect(files.filter((file) => !existsSync(join(dist, file)))).toEqual([]);
  });

  test.each(["UserError", "ConfigError", "Interrupted", "YAMLParseError", "CommanderError"])(
    "has one class %s, which every program and the library share",
    (name) => {
      const declared = programs.filter(({ text }) =>
        new RegExp(`\\bclass ${name}\\b|\\b${name} = class\\b`).test(text),
      );
      expect(declared.map(({ path }) => path)).toHaveLength(1);
    },
  );

  test("imports nothing that is not installed with it", () => {
    const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<
      string,
      object
    >;
    const imported = programs.flatMap(({ text }) =>
      Array.from(text.matchAll(/\b(?:from|import\() ?"(?!node:)((?:@[\w-]+\/)?[\w-][\w.-]*)/g), ([, name]) => name),
    );
    expect(imported).toContain("koffi");
    expect(
      imported.filter((name) => name === undefined || !(name in { ...dependencies, ...peerDependencies })),
    ).toEqual([]);
  });

  test("holds the licences of what is inside", () => {
    const notices = readFileSync(join(dist, "NOTICES.txt"), "utf8");
    for (const name of ["commander", "yaml", "yocto-queue", "zod"])
      expect(notices).toMatch(new RegExp(`^${name} [\\d.]+ \\(`, "m"));
    expect(notices).toContain("Copyright (c) 2025 Colin McDonnell");
    // A file that its package has from somebody else.
    expect(notices).toContain("Copyright 2013 Google Inc");
  });

  test("is a library that does nothing until it is called, with the exports of its source", async () => {
    const source = readFileSync(join(root, "src", "index.ts"), "utf8");
    const names = Array.from(source.matchAll(/^export \{([^}]*)\}/gm), ([, list = ""]) => list.split(",")).flat();
    const values = names.map((name) => name.trim()).filter((name) => name !== "" && !name.startsWith("type "));
    const script = `console.log(Object.keys(await import(${JSON.stringify(join(dist, "index.js"))})).join())`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
    expect({ exported: stdout.trim().split(",").toSorted(), stderr }).toEqual({
      exported: values.toSorted(),
      stderr: "",
    });
  });
});
