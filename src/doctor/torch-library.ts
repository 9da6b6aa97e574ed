import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** Where the package is, without importing it, which takes seconds. */
const SCRIPT = "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])";

/** The library for CPUs of the PyTorch that lm_eval's Python has, which is LM_EVAL_PYTHON or python3; undefined where it has none. */
export async function findTorchLibrary(environment = process.env): Promise<string | undefined> {
  const python = environment["LM_EVAL_PYTHON"] || "python3";
  try {
    const { stdout } = await promisify(execFile)(python, ["-c", SCRIPT], { env: environment, timeout: 30_000 });
    const file = join(stdout.trim(), "lib", "libtorch_cpu.so");
    await access(file);
    return file;
  } catch {
    return undefined;
  }
}
