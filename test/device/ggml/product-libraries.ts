import { delimiter } from "node:path";
import { findProducts } from "../../../src/device/ggml/products/find-products.ts";
import type { ProductLibrary } from "../../../src/device/ggml/products/product-library.ts";

/** Files of libraries that tests must run, beside those that the system has. */
const named = (process.env["EVOMERGE_TESTED_PRODUCTS"] ?? "").split(delimiter).filter((file) => file !== "");
const onSystem = ["libdnnl.so.3", "libdnnl.so.2", "libopenblas.so.0"];

export interface TestedLibrary {
  readonly name: string;
  readonly file: string;
  readonly library: ProductLibrary;
}

/** Libraries for products that are on this machine, each once. */
export const productLibraries: readonly TestedLibrary[] = await openAll();

/** For the title of tests without one. */
export const withoutLibrary = "skipped: no library for products is on this machine (docs/engines.md)";

async function openAll(): Promise<TestedLibrary[]> {
  const opened: TestedLibrary[] = [];
  for (const file of [...named, ...onSystem]) {
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
