import { openGgml } from "../../src/device/ggml/engine.ts";
import { describeEngine } from "./engine-contract.ts";
import { tolerances } from "./tolerances.ts";

describeEngine("ggml on the CPU", () => openGgml({ backend: "cpu" }), tolerances["ggml, CPU"].f32);
