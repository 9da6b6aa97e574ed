import { lstat } from "node:fs/promises";
import { UserError } from "../../errors.ts";
import { readTextWithin } from "../../files/read-file.ts";
import { sha256Of } from "../../files/sha256.ts";

/** What an export puts into a checkout is a few hundred KB of some thousand coefficients, or MB where columns have their own. */
const SEALED_FILE = { what: "a file that an export wrote", maxBytes: 2 ** 27 };

/** A comment in Python, and nothing to `git apply`. */
const seal =
  /^# Exported by evomerge [^\n]*\n# A later export replaces it while what follows has sha256 (?<sha256>[0-9a-f]{64})\n/;

/** A text under two lines that tell whose it is, and whether it was edited since. */
export function sealed(text: string, version: string): string {
  return `# Exported by evomerge ${version}\n# A later export replaces it while what follows has sha256 ${sha256Of(text)}\n${text}`;
}

/** A UserError where a path has anything but a sealed text as it was written: what people wrote or edited is not replaced. */
export async function checkOurs(path: string): Promise<void> {
  const status = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (status === undefined) return;
  const text = status.isFile() ? await readTextWithin(path, SEALED_FILE) : "";
  const found = seal.exec(text);
  if (found?.groups?.["sha256"] === sha256Of(text.slice(found?.[0].length))) return;
  throw new UserError(
    found
      ? `${path}: was changed since an export wrote it; rename the experiment or move the file elsewhere`
      : `${path}: no export wrote this file; rename the experiment or remove the file`,
  );
}
