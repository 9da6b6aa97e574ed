import { describeGpu } from "./gpu-contract.ts";

await describeGpu("bf16");
