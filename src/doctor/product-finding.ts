/** What multiplies matrices for ggml on the CPU, and what would do so faster. */
import { findProducts, PRODUCTS_VARIABLE } from "../device/ggml/products/find-products.ts";
import { lookAt, type Finding } from "./finding.ts";

/** Measured in bench/RESULTS.md. The pattern takes the version that the distribution has. */
const FASTER = "oneDNN's are about three times as fast: apt-get install 'libdnnl?' (without root: docs/engines.md)";

export function productFinding(): Promise<Finding> {
  return lookAt("products", async () => {
    const { library, file, problems } = await findProducts();
    if (library) return `${library.name} (${file}) for ${Object.keys(library.leastRows).join(" and ")}`;
    if (process.env[PRODUCTS_VARIABLE] === "ggml") return `ggml's own, as ${PRODUCTS_VARIABLE} says`;
    throw new Error(["ggml's own", ...problems, ...(process.platform === "linux" ? [FASTER] : [])].join("; "));
  });
}
