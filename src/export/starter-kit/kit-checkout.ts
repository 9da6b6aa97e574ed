/** A checkout of the competition's starter kit, and where its two generations list the merge methods they know. */
import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { readTextWithin } from "../../files/read-file.ts";
import type { KitName } from "./kit-name.ts";

/** One line to add to a file of the kit. */
export interface Registration {
  /** Relative to the checkout, with slashes. */
  readonly path: string;
  /** The file as it is now. */
  readonly text: string;
  /** Index of the line before which the new one goes; undefined when the file has that line already. */
  readonly at: number | undefined;
  readonly line: string;
}

/** How a kit learns of a class. */
export interface Kit {
  readonly registrations: readonly Registration[];
  /** A command to run once after registering, where the kit needs one. */
  readonly refresh?: string;
}

interface Place {
  readonly path: string;
  /** Finds the line before which the new one goes; -1 where there is none. */
  readonly at: (lines: readonly string[]) => number;
  readonly line: (name: KitName) => string;
}

const MAIN = "llm_merging/main.py";
const SETUP = "llm_merging/setup.py";
const MERGES = "llm_merging/merging/Merges.py";

/** Until August 2024: entry points of an installed package. */
const ENTRY_POINTS: readonly Place[] = [
  {
    path: SETUP,
    at: after(/^\s*["']llm_merging\.merging\.Merges["']\s*:\s*\[\s*$/),
    line: ({ className, method }) => `            "${method} = llm_merging.merging.${className}:${className}",`,
  },
];

const inDictionary = after(/^\s*loaded_merges\s*=\s*\{\s*$/);

/** Since September 2024: a dictionary in main.py, of classes that the package imports. */
const DICTIONARY: readonly Place[] = [
  {
    path: "llm_merging/merging/__init__.py",
    at: (lines) =>
      Math.max(
        0,
        lines.findIndex((line) => line.startsWith("from llm_merging.merging.")),
      ),
    line: ({ className }) => `from llm_merging.merging.${className} import ${className}`,
  },
  {
    path: MAIN,
    at: inDictionary,
    line: ({ className, method }) => `        "${method}": ${className},`,
  },
];

/**
 * The egg-info folder alone, found through PYTHONPATH, is enough for entry points; `setup.py install` would copy the
 * package beside the checkout, without its subpackages.
 */
const REFRESH = "python llm_merging/setup.py -q egg_info";

/** Reads which generation a checkout is and what would register a class there; a UserError for any other folder. */
export async function readKit(folder: string, name: KitName): Promise<Kit> {
  await readKitFile(folder, MERGES);
  // What main.py reads decides: later kits still carry a setup.py with entry points.
  const main = await readKitFile(folder, MAIN);
  if (inDictionary(main.split(/\r?\n/)) >= 0) {
    return { registrations: await registrations(folder, DICTIONARY, name) };
  }
  if (!main.includes("entry_points(")) {
    throw new UserError(
      `${join(folder, MAIN)}: expected a dictionary loaded_merges or a call of entry_points, found neither; restore the kit's own file`,
    );
  }
  return { registrations: await registrations(folder, ENTRY_POINTS, name), refresh: REFRESH };
}

async function registrations(folder: string, places: readonly Place[], name: KitName): Promise<Registration[]> {
  return Promise.all(
    places.map(async ({ path, at, line }) => {
      const text = await readKitFile(folder, path);
      const lines = text.split(/\r?\n/);
      if (lines.some((present) => present.trim() === line(name).trim())) {
        return { path, text, at: undefined, line: line(name) };
      }
      const index = at(lines);
      if (index >= 0) return { path, text, at: index, line: line(name) };
      throw new UserError(
        `${join(folder, path)}: expected a list of merge methods to add ${line(name).trim()} to, found none; restore the kit's own file`,
      );
    }),
  );
}

function readKitFile(folder: string, path: string): Promise<string> {
  const what = `a checkout of the LLM-Merging starter kit in ${folder}`;
  return readTextWithin(join(folder, path), { what, maxBytes: 2 ** 20 });
}

function after(pattern: RegExp): Place["at"] {
  return (lines) => {
    const index = lines.findIndex((line) => pattern.test(line));
    return index < 0 ? -1 : index + 1;
  };
}
