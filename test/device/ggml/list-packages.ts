/**
 * Writes package-listings.json, the names of all files of the packages that `src/device/ggml/packages.ts` names, and the
 * hash of each base library, from what the npm registry gives (some 700 MB):
 *
 *     npx tsx test/device/ggml/list-packages.ts
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { PACKAGE_VERSION, packages } from "../../../src/device/ggml/packages.ts";

const run = promisify(execFile);
/** Tried in turn: a registry may not have the newest version of every platform. */
const versions = [PACKAGE_VERSION, "3.21.1"];

const folder = await mkdtemp(join(tmpdir(), "list-packages-"));
try {
  const listings: Record<string, unknown> = {};
  for (const { name } of packages) listings[name] = await list(name);
  await writeFile(join(import.meta.dirname, "package-listings.json"), `${JSON.stringify(listings, null, 2)}\n`);
} finally {
  await rm(folder, { recursive: true });
}

async function list(name: string): Promise<unknown> {
  for (const version of versions) {
    const spec = `@node-llama-cpp/${name}@${version}`;
    const packed = await run("npm", ["pack", spec, "--json", "--pack-destination", folder]).catch(() => undefined);
    if (!packed) continue;
    const [{ filename, files }] = JSON.parse(packed.stdout) as [{ filename: string; files: { path: string }[] }];
    const tarball = join(folder, filename);
    const paths = files.map(({ path }) => path);
    const base = paths.find((path) => /ggml-base\./.test(path));
    const listing = { version, ...(base ? { baseSha256: await hash(tarball, base) } : {}), files: paths };
    await rm(tarball);
    return listing;
  }
  throw new Error(`the registry has no @node-llama-cpp/${name} in ${versions.join(" or ")}`);
}

async function hash(tarball: string, path: string): Promise<string> {
  const options = { encoding: "buffer", maxBuffer: 2 ** 26 } as const;
  const { stdout } = await run("tar", ["-xzOf", tarball, `package/${path}`], options);
  return createHash("sha256").update(stdout).digest("hex");
}
