import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { UserError } from "../errors.ts";
import { reasonOf } from "../files/system-error.ts";
import { findNodeHeaders } from "./node-headers.ts";
import type { PythonTensorflow } from "./python-tensorflow.ts";

/** In the bytes of every binding that was compiled here, as its name for the linker: so it needs no record beside it. */
export const LINKED_MARK = "tfjs_binding.linked-by-evomerge.node";

/**
 * Compiles the C++ of an installed package against a TensorFlow. The libraries are found where the wheel has them: from there
 * those of a wheel for GPUs find CUDA's, which lies in wheels beside it.
 */
export async function compileBinding(
  source: string,
  to: string,
  { headers, libraries }: PythonTensorflow,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const compiler = environment["CXX"] || "g++";
  const include = [await findNodeHeaders(), source, headers].map((folder) => `-I${folder}`);
  const code = ["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => join(source, "binding", name));
  const place = [...new Set(libraries.map(dirname))].map((folder) => `-Wl,-rpath,${folder}`);
  const options = ["-std=c++17", "-O2", "-fPIC", "-shared", "-w", "-DNAPI_VERSION=8", `-Wl,-soname,${LINKED_MARK}`];
  try {
    await promisify(execFile)(compiler, [...options, ...include, ...code, ...libraries, ...place, "-o", to], {
      env: environment,
      maxBuffer: 2 ** 26,
    });
  } catch (cause) {
    throw explain(cause, compiler, source);
  }
}

function explain(cause: unknown, compiler: string, source: string): UserError {
  const { code, stderr = "" } = cause as { readonly code?: unknown; readonly stderr?: string };
  if (code === "ENOENT") {
    const install = "Debian: apt-get install g++";
    return new UserError(
      `${compiler}: expected a C++ compiler, found none; install one (${install}) or name another in CXX`,
      { cause },
    );
  }
  const lines = stderr.split("\n");
  const found = lines.find((line) => /\berror\b|undefined reference|cannot find/.test(line)) ?? lines[0];
  return new UserError(
    `${source}: its binding was not compiled: ${compiler}: ${found?.trim() || reasonOf(cause)}; this version of TensorFlow may not fit, another Python is named with --python`,
    { cause },
  );
}
