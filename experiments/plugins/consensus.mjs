/**
 * A merge that keeps of the summed differences from the base what several experts need, and drops what serves one alone (Consensus Task
 * Arithmetic, Wang et al. 2024, arXiv:2405.07813). `method: consensus/task_arithmetic`.
 *
 * An element serves an expert where its own difference is larger than what the others would change it by, `sparsity` times: the
 * paper's TALL mask. `votes` experts must be served, halves between: 1.5 means two.
 *
 * @import { MethodPlugin, Plugin } from "evomerge"
 */

/** @type {MethodPlugin} */
const taskArithmetic = {
  source: "Wang et al. 2024, arXiv:2405.07813",
  summary: "base + lambda x the weighted sum of differences from it, at the elements that serve several experts",
  formula: `
    difference = expert - base
    change = weight * difference
    total = sum(change)
    serves = abs(change) > sparsity * abs(total - change)
    agreed = sum(serves) > votes
    base + lambda * (total * agreed)
  `,
  parameters: [
    {
      name: "weight",
      per: "expert",
      range: [0, 1.5],
      start: 0.8,
      summary: "how much the difference of the expert from the base counts",
    },
    {
      name: "sparsity",
      per: "expert",
      range: [0.1, 1],
      start: 0.4,
      limits: [0, 100],
      summary: "how many times the change by the others an own change must be for the element to serve the expert",
    },
    {
      name: "votes",
      per: "model",
      range: [-0.5, 2.5],
      start: 1.5,
      limits: [-1, 1000],
      summary: "experts that an element must serve are more than this",
    },
    {
      name: "lambda",
      per: "model",
      range: [0, 2],
      start: 1,
      summary: "what the merged difference is multiplied by",
    },
  ],
};

/** @type {Plugin} */
export default { name: "consensus", version: "1.0.0", methods: { task_arithmetic: taskArithmetic } };
