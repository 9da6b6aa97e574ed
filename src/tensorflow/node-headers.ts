import { access } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { UserError } from "../errors.ts";

const require: NodeJS.Require = createRequire(import.meta.url);

/** Node's own, those of a distribution, and those that koffi brings. Node-API keeps its ABI: those of any version will do. */
export function headerFolders(): string[] {
  const beside = join(dirname(process.execPath), "..", "include", "node");
  return [
    beside,
    "/usr/include/node",
    join(dirname(require.resolve("koffi")), "vendor", "node-api-headers", "include"),
  ];
}

/** The first folder that has Node-API's headers; throws a UserError that says where to get them. */
export async function findNodeHeaders(folders: readonly string[] = headerFolders()): Promise<string> {
  for (const folder of folders) {
    const isThere = await access(join(folder, "node_api.h")).then(
      () => true,
      () => false,
    );
    if (isThere) return folder;
  }
  throw new UserError(
    `expected Node's headers (node_api.h) in ${folders.join(" or ")}, found none; they come with Node from nodejs.org, and in Debian's libnode-dev`,
  );
}
