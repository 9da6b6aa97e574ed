import { delimiter } from "node:path";
import { describe } from "vitest";
import { findProducts, PRODUCT_FILES } from "../../../src/device/ggml/products/find-products.ts";
import type { ProductLibrary } from "../../../src/device/ggml/products/product-library.ts";

/** Files of libraries that tests must run, beside those that npm brings and the system has. */
const named = (process.env["EVOMERGE_TESTED_PRODUCTS"] ?? "").split(delimiter).filter((file) => file !== "");

export interface TestedLibrary {
  readonly name: string;
  readonly file: string;
  readonly library: ProductLibrary;
}

/** Libraries for products that are on this machine, each once. */
export const productLibraries: readonly TestedLibrary[] = await openAll();

/** In the place of a library where this machine has none (docs/engines.md): its tests are skipped under this name. */
const absent: TestedLibrary = {
  name: "a library that is on this machine",
  file: "",
  library: { name: "none", leastRows: {}, multiply: () => ({ calls: [] }) },
};

/** The same tests of every library; skipped as they are where there is none. */
export function describeLibraries(title: string, tests: (tested: TestedLibrary) => void): void {
  for (const tested of productLibraries) describe(`${title} by ${tested.name}`, () => tests(tested));
  if (productLibraries.length === 0) describe.skip(`${title} by ${absent.name}`, () => tests(absent));
}

async function openAll(): Promise<TestedLibrary[]> {
  const opened: TestedLibrary[] = [];
  for (const file of [...named, ...PRODUCT_FILES]) {
    // One that is named must be there.
    const found = findProducts(file).catch((error: unknown) => {
      if (named.includes(file)) throw error;
      return { library: undefined };
    });
    const { library } = await found;
    const isNew = library && !opened.some((other) => other.library.name === library.name);
    if (isNew) opened.push({ name: library.name, file, library });
  }
  return opened;
}
