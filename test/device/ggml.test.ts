import { openGgml } from "../../src/device/ggml/engine.ts";
import { describeEngine } from "./engine-contract.ts";
import { productLibraries } from "./ggml/product-libraries.ts";
import { tolerances } from "./tolerances.ts";

describeEngine(
  "ggml on the CPU, alone",
  () => openGgml({ backend: "cpu", products: "ggml" }),
  tolerances["ggml, CPU"].f32,
);

for (const { name, file } of productLibraries) {
  describeEngine(
    `ggml on the CPU, products by ${name}`,
    () => openGgml({ backend: "cpu", products: file }),
    tolerances["ggml, CPU"].f32,
  );
}
