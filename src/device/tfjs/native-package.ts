import { createRequire } from "node:module";
import { dirname } from "node:path";
import { MissingEngine } from "../missing-engine.ts";

/** npm packages, without their scope, that bind TensorFlow's C library. */
export const nativePackages = ["tfjs-node-gpu", "tfjs-node"] as const;
export type NativePackage = (typeof nativePackages)[number];

const require: NodeJS.Require = createRequire(import.meta.url);

/** Throws a MissingEngine that names the command which installs the package, where it is not installed. */
export function checkInstalled(name: NativePackage): void {
  if (installedFolder(name) !== undefined) return;
  throw new MissingEngine(
    `engine ${name}: @tensorflow/${name} is not installed; run ${installCommand(name)} or choose another engine`,
  );
}

/** Where the package is; undefined where it is not installed. */
export function installedFolder(name: NativePackage): string | undefined {
  try {
    return dirname(require.resolve(`@tensorflow/${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** The command that installs the package, as one of our version of TensorFlow.js. */
export function installCommand(name: NativePackage, ...options: readonly string[]): string {
  const { version } = require("@tensorflow/tfjs-core/package.json") as { readonly version: string };
  // npm passes over a package that package.json names as an optional peer already, unless told where to save it.
  return ["npm install --save-dev", ...options, `@tensorflow/${name}@${version}`].join(" ");
}
