/** What multiplies matrices for ggml on the CPU, and what would do so faster. */
import { findProducts, PRODUCTS_VARIABLE } from "../device/ggml/products/find-products.ts";
import { shellWord } from "../files/shell-word.ts";
import { lookAt, type Finding } from "./finding.ts";
import { findTorchLibrary } from "./torch-library.ts";

/** The pattern takes the version that the distribution has. */
const INSTALL = "apt-get install 'libdnnl?' (without root: docs/engines.md)";

/** Measured in bench/RESULTS.md. */
const onLinux = {
  alone: "oneDNN's are about three times as fast",
  onlyF32: "on CPUs with AVX512_BF16, oneDNN's in bf16 are twice as fast",
};

export function productFinding(): Promise<Finding> {
  return lookAt("products", async () => {
    const { library, file, problems } = await findProducts();
    if (library) {
      const formats = Object.keys(library.leastRows);
      const faster = await hint(formats.includes("bf16") || process.arch !== "x64" ? undefined : onLinux.onlyF32);
      return [`${library.name} (${file}) for ${formats.join(" and ")}`, ...faster].join("; ");
    }
    if (process.env[PRODUCTS_VARIABLE] === "ggml") return `ggml's own, as ${PRODUCTS_VARIABLE} says`;
    throw new Error(["ggml's own", ...problems, ...(await hint(onLinux.alone))].join("; "));
  });
}

/** How to have what is faster: with what is here already, where that is so. */
async function hint(faster: string | undefined): Promise<string[]> {
  if (faster === undefined || process.platform !== "linux") return [];
  const torch = process.arch === "x64" ? await findTorchLibrary() : undefined;
  const named = torch === undefined ? "" : `export ${PRODUCTS_VARIABLE}=${shellWord(torch)} (PyTorch's own), or `;
  return [`${faster}: ${named}${INSTALL}`];
}
