import { createRequire } from "node:module";
import { MissingEngine } from "../missing-engine.ts";

/** npm packages, without their scope, that bind TensorFlow's C library. */
export type NativePackage = "tfjs-node" | "tfjs-node-gpu";

const require: NodeJS.Require = createRequire(import.meta.url);

/** Throws a MissingEngine that names the command which installs the package, where it is not installed. */
export function checkInstalled(name: NativePackage): void {
  const specifier = `@tensorflow/${name}`;
  try {
    require.resolve(specifier);
  } catch (cause) {
    const { version } = require("@tensorflow/tfjs-core/package.json") as { readonly version: string };
    // npm passes over a package that package.json names as an optional peer already, unless told where to save it.
    const install = `npm install --save-dev ${specifier}@${version}`;
    throw new MissingEngine(`engine ${name}: ${specifier} is not installed; run ${install} or choose another engine`, {
      cause,
    });
  }
}
