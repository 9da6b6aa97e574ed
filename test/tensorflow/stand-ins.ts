/** A package and a wheel in small: a binding of two files, and a library that it calls. They are compiled and loaded as the real ones are. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { shellWord } from "../../src/files/shell-word.ts";
import { boundPackage, type BoundPackage } from "../../src/tensorflow/bound-package.ts";

/** Whether a compiler for the stand-ins is here. */
export const canCompile: boolean = process.platform === "linux" && runs("g++") && runs("python3");

/** What `TF_Version` and `isUsingGpuDevice` of a real binding answer, from the library. */
const binding = `#include <node_api.h>
#include "tensorflow/c/eager/c_api.h"
napi_value Backend(napi_env env, napi_callback_info) {
  napi_value no;
  napi_get_boolean(env, false, &no);
  return no;
}
extern napi_callback backend;
NAPI_MODULE_INIT() {
  napi_value version, function;
  napi_create_string_utf8(env, TF_Version(), NAPI_AUTO_LENGTH, &version);
  napi_set_named_property(env, exports, "TF_Version", version);
  napi_create_function(env, "isUsingGpuDevice", NAPI_AUTO_LENGTH, backend, nullptr, &function);
  napi_set_named_property(env, exports, "isUsingGpuDevice", function);
  return exports;
}
`;
const backend = `#include <node_api.h>
napi_value Backend(napi_env env, napi_callback_info);
napi_callback backend = Backend;
`;

export function makePackage(folder: string): BoundPackage {
  write(join(folder, "binding", "tfjs_binding.cc"), binding);
  write(join(folder, "binding", "tfjs_backend.cc"), backend);
  return boundPackage("@tensorflow/tfjs-node", folder);
}

/** A Python with a TensorFlow whose library is compiled from the code. Returns the program. */
export function makePython(folder: string, code: string): string {
  const tensorflow = join(folder, "site", "tensorflow");
  write(join(tensorflow, "__init__.py"), 'raise Exception("not to be imported")\n');
  write(join(tensorflow, "include", "tensorflow", "c", "eager", "c_api.h"), 'extern "C" const char* TF_Version();\n');
  const source = join(folder, "library.cc");
  write(source, `${code}\n`);
  for (const name of ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"]) {
    const options = ["-shared", "-fPIC", `-Wl,-soname,${name}`, "-o", join(tensorflow, name)];
    execFileSync("g++", [...options, ...(name.includes("_cc") ? [source] : ["-x", "c++", "/dev/null"])]);
  }
  return makeProgram(join(folder, "python"), `PYTHONPATH=${shellWord(join(folder, "site"))} exec python3 "$@"`);
}

/** The one function of the C API that the stand-in of a binding calls. */
export function telling(version: string): string {
  return `extern "C" const char* TF_Version() { return "${version}"; }`;
}

export function makeProgram(file: string, script: string): string {
  write(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

export function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function runs(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
