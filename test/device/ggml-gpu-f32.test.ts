import { describeGpu } from "./gpu-contract.ts";

await describeGpu("f32");
