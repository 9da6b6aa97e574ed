import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ProcessLock } from "../../src/lock/process-lock.ts";
import { findBoundPackage, type BoundPackage } from "../../src/tensorflow/bound-package.ts";
import { linkTensorflow, unlinkTensorflow } from "../../src/tensorflow/link.ts";
import { findNodeHeaders, headerFolders } from "../../src/tensorflow/node-headers.ts";
import { nativeTfjs } from "../device/installed-package.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { canCompile, makePackage, makeProgram, makePython, telling, write } from "./stand-ins.ts";

const require: NodeJS.Require = createRequire(import.meta.url);

afterEach(() => vi.unstubAllEnvs());

describe.skipIf(!canCompile)("linkTensorflow", () => {
  test("compiles the package's binding on a Python's TensorFlow, and gives its own back", async () => {
    const folder = await temporaryFolder();
    const bound = makePackage(join(folder, "a package"));
    write(bound.binding, "its own");
    const [older, newer] = ["2.20.0", "2.21.0"].map((version) => makePython(join(folder, version), telling(version)));

    const tensorflow = join(folder, "2.20.0", "site", "tensorflow");
    expect(await linkTensorflow(bound, older!)).toEqual({ version: "2.20.0", usesGpu: false, tensorflow });
    expect(await linkTensorflow(bound, newer!)).toMatchObject({ version: "2.21.0" });
    expect((require(bound.binding) as { TF_Version: string }).TF_Version).toBe("2.21.0");
    expect(filesOf(bound)).toEqual(["tfjs_binding.node", "tfjs_binding.own.node"]);

    expect(await unlinkTensorflow(bound)).toBe("restored");
    expect(filesOf(bound)).toEqual(["tfjs_binding.node"]);
    expect(readFileSync(bound.binding, "utf8")).toBe("its own");
    await expect(unlinkTensorflow(bound)).rejects.toThrow(
      "@tensorflow/tfjs-node: expected a binding that evomerge linked, found none; nothing was changed",
    );
    expect(readFileSync(bound.binding, "utf8")).toBe("its own");
  });

  test("keeps what was installed last, and nothing where there was nothing", async () => {
    const folder = await temporaryFolder();
    const bound = makePackage(join(folder, "package"));
    const python = makePython(folder, telling("2.21.0"));
    await linkTensorflow(bound, python);
    expect(filesOf(bound)).toEqual(["tfjs_binding.node"]);
    expect(await unlinkTensorflow(bound)).toBe("removed");
    expect(filesOf(bound)).toEqual([]);

    write(bound.own, "left by another installation");
    await linkTensorflow(bound, python);
    write(bound.binding, "second");
    await linkTensorflow(bound, python);
    expect(await unlinkTensorflow(bound)).toBe("restored");
    expect(readFileSync(bound.binding, "utf8")).toBe("second");
  });

  test("says what is missing, and changes nothing", async () => {
    const folder = await temporaryFolder();
    const bound = makePackage(join(folder, "package"));
    write(bound.binding, "its own");
    const refused = async (python: string): Promise<string> => {
      const [error] = await Promise.allSettled([linkTensorflow(bound, python)]);
      expect(error).toMatchObject({ status: "rejected", reason: { name: "UserError" } });
      expect(filesOf(bound)).toEqual(["tfjs_binding.node"]);
      expect(readFileSync(bound.binding, "utf8")).toBe("its own");
      return (error as PromiseRejectedResult).reason.message;
    };
    const python = makePython(folder, telling("2.21.0"));

    expect(await refused("/nowhere/python")).toBe(
      "/nowhere/python: expected a Python, found: no such file or directory; name another with --python",
    );
    const broken = makeProgram(
      join(folder, "broken"),
      "echo 'Traceback:' >&2; echo 'ImportError: no zlib' >&2; exit 1",
    );
    expect(await refused(broken)).toContain("expected a Python, found: ImportError: no zlib;");
    const without = makeProgram(join(folder, "without"), `exec python3 -S "$@"`);
    expect(await refused(without)).toContain(`expected a Python with TensorFlow, found none in it; install it with `);

    vi.stubEnv("CXX", "no-such-compiler");
    expect(await refused(python)).toBe(
      "no-such-compiler: expected a C++ compiler, found none; install one (Debian: apt-get install g++) or name another in CXX",
    );
    vi.unstubAllEnvs();

    const trapping = 'extern "C" const char* TF_Version() { __builtin_trap(); }';
    const crashing = makePython(join(folder, "crashing"), trapping);
    expect(await refused(crashing)).toMatch(/ compiled and does not load: ended by SIGILL; nothing was changed, /);
    const lacking = makePython(join(folder, "lacking"), "int nothing;");
    expect(await refused(lacking)).toMatch(/ compiled and does not load: .*undefined symbol: TF_Version; nothing /);
    const header = join(folder, "lacking", "site", "tensorflow", "include", "tensorflow", "c", "eager", "c_api.h");
    write(header, "#error of another time\n");
    expect(await refused(lacking)).toMatch(
      /: its binding was not compiled: g\+\+: .*c_api\.h:1:2: error: #error of another time;/,
    );
    rmSync(header);
    expect(await refused(lacking)).toBe(
      `${header}: expected a file of TensorFlow 2 as wheels for Linux have it, found none; install another version of TensorFlow, or name another Python with --python`,
    );

    using _ = ProcessLock.tryAcquire(dirname(bound.binding), "linking") as ProcessLock;
    const [error] = await Promise.allSettled([linkTensorflow(bound, python)]);
    expect((error as PromiseRejectedResult).reason.message).toMatch(
      /^@tensorflow\/tfjs-node is in use by process \d+ /,
    );
  });
});

test("headers of Node-API come with a dependency; where they do not, a sentence says where they are", async () => {
  expect(existsSync(join(headerFolders().at(-1)!, "node_api.h"))).toBe(true);
  expect(existsSync(join(await findNodeHeaders(), "node_api.h"))).toBe(true);
  await expect(findNodeHeaders(["/a", "/b"])).rejects.toThrow(
    "expected Node's headers (node_api.h) in /a or /b, found none; they come with Node from nodejs.org, and in Debian's libnode-dev",
  );
});

test.skipIf(nativeTfjs !== undefined)(
  "a package that is not installed is named with the command that installs it",
  () => {
    expect(() => findBoundPackage()).toThrow(
      "expected @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node to be installed, found none; run npm install --save-dev --ignore-scripts @tensorflow/tfjs-node@4.22.0",
    );
    expect(() => findBoundPackage("tfjs-node-gpu")).toThrow(
      "expected @tensorflow/tfjs-node-gpu to be installed, found none; run npm install --save-dev --ignore-scripts @tensorflow/tfjs-node-gpu@4.22.0",
    );
  },
);

function filesOf({ binding }: BoundPackage): string[] {
  return readdirSync(dirname(binding)).toSorted();
}
