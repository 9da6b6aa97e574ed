import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, realpath } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { UserError } from "../errors.ts";
import { readBeginning } from "../files/read-file.ts";

/** An lm_eval that can be run. */
export interface LmEval {
  /** The program and the arguments before lm_eval's own. */
  readonly command: readonly [program: string, ...args: string[]];
  readonly version: string;
}

export interface FindOptions {
  /** The Python that has lm_eval; no other place is looked at when this or LM_EVAL_PYTHON is given. */
  readonly python?: string | undefined;
  /** That of this process unless given. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
}

const INSTALL = 'pip install "lm_eval[hf]==0.4.13"';

/** Finds lm_eval: under a named Python, on the PATH, or under python3 or python; a UserError says how to install it. */
export async function findLmEval({ python, environment = process.env }: FindOptions = {}): Promise<LmEval> {
  const named = python ?? environment["LM_EVAL_PYTHON"];
  if (named) {
    const found = await moduleOf(named, environment);
    if (found) return found;
    throw new UserError(`${named}: expected a Python with lm_eval, found none; install it with ${named} -m ${INSTALL}`);
  }
  const found =
    (await onPath(environment)) ?? (await moduleOf("python3", environment)) ?? (await moduleOf("python", environment));
  if (found) return found;
  throw new UserError(
    `lm_eval was not found on the PATH or under python3; install it with ${INSTALL}, or name the Python that has it with --python or LM_EVAL_PYTHON`,
  );
}

async function moduleOf(python: string, environment: NodeJS.ProcessEnv): Promise<LmEval | undefined> {
  const version = await versionUnder(python, environment);
  return version === undefined ? undefined : { command: [python, "-m", "lm_eval"], version };
}

/** The version of the package under a Python, without importing it, which takes seconds. */
async function versionUnder(python: string, environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const script = "import importlib.metadata as m; print(m.version('lm_eval'))";
  try {
    const { stdout } = await promisify(execFile)(python, ["-c", script], { env: environment, timeout: 30_000 });
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The command lm_eval has no option that tells its version, but it names the Python that it runs under. */
async function onPath(environment: NodeJS.ProcessEnv): Promise<LmEval | undefined> {
  const script = await findOnPath("lm_eval", environment);
  if (script === undefined) return undefined;
  for (const python of [await interpreterOf(script), join(dirname(await realpath(script)), "python")]) {
    const version = python === undefined ? undefined : await versionUnder(python, environment);
    if (version !== undefined) return { command: [script], version };
  }
  return undefined;
}

async function findOnPath(name: string, environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "")) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

/** The program in the first line of a script, which installers make a line of its own. */
async function interpreterOf(script: string): Promise<string | undefined> {
  const beginning = await readBeginning(script, { what: "lm_eval, a program", maxBytes: 256 });
  return /^#! *(\S+) *\r?\n/.exec(beginning.toString("utf8"))?.[1];
}
