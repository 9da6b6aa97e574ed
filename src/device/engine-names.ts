export const engines = ["ggml", "tfjs", "tfjs-node", "tfjs-node-gpu"] as const;

/** As experiment files name them; `auto` is the first that works. */
export const engineNames = ["auto", ...engines] as const;
export type EngineName = (typeof engineNames)[number];
