import { join } from "node:path";
import { UserError } from "../errors.ts";
import { installCommand, installedFolder, nativePackages, type NativePackage } from "../device/tfjs/native-package.ts";

/** An installed package that binds TensorFlow's C library, and where its binding is. */
export interface BoundPackage {
  /** As npm has it. */
  readonly name: string;
  readonly folder: string;
  /** What the package loads; need not be there. */
  readonly binding: string;
  /** Where the package's own binding is kept while another takes its place. */
  readonly own: string;
}

/** The package of a name, or the only one that is installed; throws a UserError where there is none, or two. */
export function findBoundPackage(name?: NativePackage): BoundPackage {
  const wanted = name === undefined ? nativePackages : [name];
  const found = wanted.flatMap((each) => {
    const folder = installedFolder(each);
    return folder === undefined ? [] : [boundPackage(`@tensorflow/${each}`, folder)];
  });
  const [first, second] = found;
  if (first && !second) return first;
  const packages = wanted.map((each) => `@tensorflow/${each}`);
  throw new UserError(
    first
      ? `expected one of ${packages.join(" and ")}, found both installed; name it behind the command: tfjs-node or tfjs-node-gpu`
      : `expected ${packages.join(" or ")} to be installed, found none; run ${installCommand(name ?? "tfjs-node", "--ignore-scripts")}`,
  );
}

/** The packages' bindings are for version 8 of Node-API, which all versions of Node that we run on have. */
export function boundPackage(name: string, folder: string): BoundPackage {
  const file = (beginning: string): string => join(folder, "lib", "napi-v8", `${beginning}.node`);
  return { name, folder, binding: file("tfjs_binding"), own: file("tfjs_binding.own") };
}
