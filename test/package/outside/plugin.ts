/** A plugin of others, of everything that plugins provide; compiled against the package as strictly as TypeScript can. */
import type { EnginePlugin, MethodPlugin, OptimizerPlugin, Plugin, TaskPlugin } from "evomerge";

const votes: TaskPlugin<{ readonly share: number }> = {
  columns: ["question", "share"],
  row: ({ question, share }) => ({
    context: String(question),
    answers: ["yes", "no"],
    data: { share: Number(share) },
  }),
  isRight: ({ data }, [yes = 0, no = 0]) => yes > no === (data?.share ?? 0) > 0.5,
  metrics: {
    surprise: ({ data }, [yes = 0, no = 0]) => Math.abs(1 / (1 + Math.exp(no - yes)) - (data?.share ?? 0)),
  },
};

const average: MethodPlugin = {
  source: "nobody",
  summary: "the weighted sum of the experts",
  formula: "base + sum(weight * (expert - base))",
  parameters: [{ name: "weight", per: "expert", range: [0, 1], start: 0.5, summary: "how much of it" }],
};

const plain: EnginePlugin = { open: ({ openBuiltIn }) => openBuiltIn("ggml") };

const still: OptimizerPlugin = {
  population: "one point",
  usesGradients: true,
  create: ({ start }) => ({
    generation: 0,
    candidates: 1,
    converged: false,
    isStuck: false,
    ask: () => [{ point: start, wantsGradient: true, isReference: true }],
    tell: () => undefined,
    recommend: () => start,
  }),
};

export const plugin: Plugin = {
  name: "outside",
  tasks: { votes },
  methods: { average },
  engines: { plain },
  optimizers: { still },
};
