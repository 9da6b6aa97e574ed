import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { UserError } from "../errors.ts";
import { reasonOf } from "../files/system-error.ts";

/** The TensorFlow of a Python: what its wheel has for programs in C. */
export interface PythonTensorflow {
  /** Of the package. */
  readonly folder: string;
  readonly headers: string;
  readonly libraries: readonly string[];
}

/** Where the package is, without importing it, which takes seconds. The current folder is no place to look. */
const SCRIPT = `import importlib.util, sys
sys.path = [path for path in sys.path if path]
spec = importlib.util.find_spec('tensorflow')
print(list(spec.submodule_search_locations)[0] if spec else '')`;

/** Both have parts of TensorFlow's C API. */
const LIBRARIES = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];

/** Throws a UserError where there is no Python, no TensorFlow in it, or none that has its C API. */
export async function findPythonTensorflow(python: string): Promise<PythonTensorflow> {
  const folder = await askForFolder(python);
  if (folder === "") {
    throw new UserError(
      `${python}: expected a Python with TensorFlow, found none in it; install it with ${python} -m pip install tensorflow-cpu (tensorflow, for GPUs), or name another Python with --python`,
    );
  }
  const headers = join(folder, "include");
  const libraries = LIBRARIES.map((name) => join(folder, name));
  for (const file of [...libraries, join(headers, "tensorflow", "c", "eager", "c_api.h")]) {
    await access(file).catch((cause: unknown) => {
      throw new UserError(
        `${file}: expected a file of TensorFlow 2 as wheels for Linux have it, found none; install another version of TensorFlow, or name another Python with --python`,
        { cause },
      );
    });
  }
  return { folder, headers, libraries };
}

async function askForFolder(python: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(python, ["-c", SCRIPT], { timeout: 60_000 });
    const folder = stdout.trim();
    return folder && resolve(folder);
  } catch (cause) {
    const { stderr = "" } = cause as { readonly stderr?: string };
    const found = stderr.trim().split("\n").at(-1) || reasonOf(cause);
    throw new UserError(`${python}: expected a Python, found: ${found}; name another with --python`, { cause });
  }
}
