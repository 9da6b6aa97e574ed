import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { UserError } from "../errors.ts";

/** What a binding says of the TensorFlow that it has loaded. */
export interface TriedBinding {
  readonly version: string;
  readonly usesGpu: boolean;
}

/** The names of bindings that are being made do not end in .node, so that `require` would read them as text. */
const SCRIPT = `const { exports } = process.argv.slice(1).reduce((module, file) => (process.dlopen(module, file), module), { exports: {} });
console.log(JSON.stringify({ version: exports.TF_Version, usesGpu: exports.isUsingGpuDevice() }));`;

/** Loads a binding in a process of its own, which it may end; throws a UserError where it does not load. */
export async function tryBinding(file: string, tensorflow: string): Promise<TriedBinding> {
  try {
    const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: "3" };
    const options = { env, timeout: 300_000, maxBuffer: 2 ** 26 };
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", SCRIPT, "--", file], options);
    // Others may write there, too; ours is last.
    return JSON.parse(stdout.slice(stdout.lastIndexOf("{"))) as TriedBinding;
  } catch (cause) {
    const { stderr = "", signal } = cause as { readonly stderr?: string; readonly signal?: string };
    const said = stderr.split("\n").find((line) => /^\w*Error: /.test(line)) ?? stderr.trim().split("\n")[0];
    const found = said?.replace(/^\w*Error: /, "").trim() || (signal ? `ended by ${signal}` : "no answer");
    throw new UserError(
      `${tensorflow}: the binding to this TensorFlow was compiled and does not load: ${found}; nothing was changed, another Python is named with --python`,
      { cause },
    );
  }
}
