import { openGgml } from "../../src/device/ggml/engine.ts";
import { describeEngine } from "./engine-contract.ts";

describeEngine("ggml on the CPU", () => openGgml({ backend: "cpu" }));
