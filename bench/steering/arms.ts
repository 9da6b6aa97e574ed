/** What is compared: optimizers, each with a search space, rows of a generation and steps. */
import { BoundedCmaEs } from "../../src/search/bounded-cma-es.ts";
import { GradientWalk } from "../../src/search/gradient-walk.ts";
import { Lineages } from "../../src/search/lineages.ts";
import type { Optimizer, OptimizerOptions } from "../../src/search/optimizer.ts";
import { separable } from "../../src/search/sep-cma-es.ts";
import type { SearchSpace } from "../../src/space/search-space.ts";
import type { PeerName } from "./peer.ts";

/** Weights of an expert from none to half as much again, as most spaces have them. */
const NARROW = { range: [0, 1.5], start: 0.8 } as const;
/** Some tensors want less than nothing of an expert, others twice of it. */
const WIDE = { range: [-0.5, 2], start: 0.8 } as const;
const WIDEST = { range: [-1, 2.5], start: 0.8 } as const;

export interface Arm {
  readonly name: string;
  readonly space: SearchSpace;
  readonly optimizer: ((options: OptimizerOptions) => Optimizer) | PeerName;
  /** Part of the rows that a generation meets, by the budget, by what a generation costs on all rows, and by the part of the budget that is spent. */
  readonly rows: (budget: number, generationCost: number, spent: number) => number;
  /** Whether rows are drawn by what was seen of them when they were met last: the spread of losses over candidates, or the loss of the first. */
  readonly drawnBy?: "spread" | "loss";
  /** Merges in the first generation, by the one weight that all experts have in them. */
  readonly inject?: readonly number[];
  /** Length of the first steps by gradient, in units of a weight; what genes have by themselves unless said. */
  readonly rate?: number;
  /** Adds so much times the distance from the start to a gradient: half of it times the squared distance to the loss. */
  readonly decay?: number;
  /** Whether a part of the search rows is kept from the steps, and the point taken that is best on it. */
  readonly stopsByHeldOut?: boolean;
}

const blocks = [["attention"], ["mlp"], ["norm", "embedding"]];
const dct = { curve: "dct", terms: 3 } as const;
const perLayer = { curve: "per-layer" } as const;

const curves = weights(blocks, dct);
const curvesFromAverage = weights(blocks, dct, { range: [0, 1.5], start: "uniform" });
const fourGroups = [["attention"], ["mlp"], ["norm"], ["embedding"]];
const curvesNormApart = weights(fourGroups, dct);
const layersNormApart = weights(fourGroups, perLayer);
const layers = weights(blocks, perLayer);
const tensors = weights("tensors", perLayer);
const wideTensors = weights("tensors", perLayer, WIDE);
const widestTensors = weights("tensors", perLayer, WIDEST);
const columns = { ...tensors, columns: true };
const wideColumns = { ...wideTensors, columns: true };
/** Mirrored at 0 and without another bound that matters, from the uniform average, as mergekit-evolve. */
const openEnd = { range: [0, 3], start: "uniform" } as const;
const everything = [blocks.flat()];
const global = weights(everything, { curve: "constant" }, openEnd);
const globalPerLayer = weights(everything, perLayer, openEnd);

const cmaEs = (options: OptimizerOptions): Optimizer => new BoundedCmaEs(options);
const sepCmaEs = (options: OptimizerOptions): Optimizer => new BoundedCmaEs(options, separable);
const walk = (options: OptimizerOptions): Optimizer => new GradientWalk(options);
const lineages = (options: OptimizerOptions): Optimizer => new Lineages(options);

const all = (): number => 1;
/** 25 generations, of a tenth of the rows at least, or 4 of fewer rows: what runs had before this was measured. */
const asPlanned = (budget: number, cost: number): number => {
  const good = Math.max(0.1, budget / cost / 25);
  return Math.min(1, Math.max(0.02, Math.min(good, budget / cost / 4)));
};
const generations =
  (number: number) =>
  (budget: number, cost: number): number =>
    Math.min(1, Math.max(0.02, budget / cost / number));
/** As run/estimates/search-cost.ts plans them: a 20th of the rows at least, and more where there would be more steps. */
const steps =
  (number: number) =>
  (budget: number, cost: number): number =>
    Math.min(1, Math.max(0.05, budget / cost / number));
const part = (fraction: number) => () => fraction;
/** As many times more rows for each part of the budget that is spent. */
const growing = (first: number, last: number) => (_budget: number, _cost: number, spent: number) =>
  first * (last / first) ** spent;

const tenth = { optimizer: walk, rows: part(0.1), rate: 0.1 };
const twentieth = { ...tenth, rows: part(0.05) };
const fortieth = { ...tenth, rows: part(0.025) };

/** Spaces are curves of three terms over the depth, weights by layer or weights by tensor, each by expert; a 10th is of the rows. */
export const arms: readonly Arm[] = [
  { name: "cma-es, curves", space: curves, optimizer: cmaEs, rows: asPlanned },
  { name: "cma-es, curves, 100 generations", space: curves, optimizer: cmaEs, rows: generations(100) },
  { name: "cma-es, curves, 20th", space: curves, optimizer: cmaEs, rows: part(0.05) },
  { name: "cma-es, curves, 20th, neighbours", space: curves, optimizer: cmaEs, rows: part(0.05), inject: [0.7, 0.9] },
  { name: "cma-es, curves from average, 20th", space: curvesFromAverage, optimizer: cmaEs, rows: part(0.05) },
  {
    name: "cma-es, curves from average, 20th, best inside",
    space: curvesFromAverage,
    optimizer: cmaEs,
    rows: part(0.05),
    inject: [0.8],
  },
  { name: "cma-es, curves, norm apart, 20th", space: curvesNormApart, optimizer: cmaEs, rows: part(0.05) },
  { name: "cma-es, layers, norm apart, 20th", space: layersNormApart, optimizer: cmaEs, rows: part(0.05) },
  { name: "cma-es, tensors", space: tensors, optimizer: cmaEs, rows: asPlanned },
  { name: "cma-es, tensors, 100 generations", space: tensors, optimizer: cmaEs, rows: generations(100) },
  { name: "cma-es, tensors, 20th", space: tensors, optimizer: cmaEs, rows: part(0.05) },
  { name: "sep-cma-es, tensors, 20th", space: tensors, optimizer: sepCmaEs, rows: part(0.05) },
  { name: "sep-cma-es, tensors, 40th to 10th", space: tensors, optimizer: sepCmaEs, rows: growing(0.025, 0.1) },
  {
    name: "sep-cma-es, tensors, 20th by spread",
    space: tensors,
    optimizer: sepCmaEs,
    rows: part(0.05),
    drawnBy: "spread",
  },
  { name: "walk, curves, 10th", space: curves, ...tenth },
  { name: "walk, curves, 10th, rate .05", space: curves, ...tenth, rate: 0.05 },
  { name: "walk, curves, norm apart, 20th", space: curvesNormApart, ...twentieth },
  { name: "walk, layers, 10th", space: layers, ...tenth },
  { name: "walk, layers, 10th, rate .05", space: layers, ...tenth, rate: 0.05 },
  { name: "walk, layers, norm apart, 20th", space: layersNormApart, ...twentieth },
  { name: "walk, tensors, quarter", space: tensors, ...tenth, rows: part(0.25) },
  { name: "walk, tensors, 10th", space: tensors, ...tenth },
  { name: "walk, tensors, 10th, rate .05", space: tensors, ...tenth, rate: 0.05 },
  { name: "walk, tensors, 20th", space: tensors, ...twentieth },
  { name: "walk, tensors, 20th, rate .05", space: tensors, ...twentieth, rate: 0.05 },
  { name: "walk, tensors, 40th", space: tensors, ...fortieth },
  { name: "walk, tensors, 40th, rate .05", space: tensors, ...fortieth, rate: 0.05 },
  { name: "4 lineages, curves, norm apart, 20th", space: curvesNormApart, ...twentieth, optimizer: lineages },
  { name: "4 lineages, layers, norm apart, 20th", space: layersNormApart, ...twentieth, optimizer: lineages },
  { name: "walk, tensors, 40th to 10th", space: tensors, ...tenth, rows: growing(0.025, 0.1) },
  { name: "walk, tensors, 80th to 10th", space: tensors, ...tenth, rows: growing(0.0125, 0.1) },
  { name: "walk, tensors, 10th to 40th", space: tensors, ...tenth, rows: growing(0.1, 0.025) },
  { name: "walk, tensors, 20th by loss", space: tensors, ...twentieth, drawnBy: "loss" },
  { name: "walk, tensors, 40th by loss", space: tensors, ...fortieth, drawnBy: "loss" },
  { name: "4 lineages, tensors, 20th", space: tensors, ...twentieth, optimizer: lineages },
  { name: "sep-cma-es, tensors -0.5 to 2, 20th", space: wideTensors, optimizer: sepCmaEs, rows: part(0.05) },
  { name: "walk, tensors -0.5 to 2, 20th", space: wideTensors, ...twentieth },
  { name: "4 lineages, tensors -0.5 to 2, 20th", space: wideTensors, ...twentieth, optimizer: lineages },
  { name: "sep-cma-es, tensors -1 to 2.5, 20th", space: widestTensors, optimizer: sepCmaEs, rows: part(0.05) },
  { name: "walk, tensors -1 to 2.5, 20th", space: widestTensors, ...twentieth },
  { name: "walk, tensors -1 to 2.5, 20th, decay .003", space: widestTensors, ...twentieth, decay: 0.003 },
  { name: "walk, tensors -1 to 2.5, 20th, decay .01", space: widestTensors, ...twentieth, decay: 0.01 },
  { name: "walk, tensors -1 to 2.5, 150 steps", space: widestTensors, ...tenth, rows: steps(150) },
  { name: "4 lineages, tensors -1 to 2.5, 20th", space: widestTensors, ...twentieth, optimizer: lineages },
  { name: "walk, columns, 20th", space: columns, optimizer: walk, rows: part(0.05) },
  { name: "walk, columns, 150 steps", space: columns, optimizer: walk, rows: steps(150) },
  { name: "walk, columns -0.5 to 2, 20th", space: wideColumns, optimizer: walk, rows: part(0.05) },
  { name: "4 lineages, columns, 20th", space: columns, optimizer: lineages, rows: part(0.05) },
  { name: "walk, tensors, 10th, decay .01", space: tensors, ...tenth, decay: 0.01 },
  { name: "walk, tensors, 10th, decay .03", space: tensors, ...tenth, decay: 0.03 },
  { name: "walk, tensors, 10th, decay .1", space: tensors, ...tenth, decay: 0.1 },
  { name: "walk, tensors, 10th, held-out stop", space: tensors, ...tenth, stopsByHeldOut: true },
  { name: "mergekit-evolve, one weight", space: global, optimizer: "mergekit-evolve", rows: all },
  { name: "mergekit-evolve, layers", space: globalPerLayer, optimizer: "mergekit-evolve", rows: all },
  { name: "Optuna TPE, curves", space: curves, optimizer: "optuna-tpe", rows: all },
  { name: "Optuna CMA-ES, curves", space: curves, optimizer: "optuna-cma-es", rows: all },
  { name: "random search, curves", space: curves, optimizer: "optuna-random", rows: all },
];

function weights(
  groups: SearchSpace["groups"],
  depth: SearchSpace["depth"],
  weight: SearchSpace["parameters"][string] = NARROW,
): SearchSpace {
  return { method: "task_arithmetic", groups, depth, parameters: { weight } };
}

/** How far apart the bounds of an expert's weight are, in which points of the unit cube are measured. */
export function spanOf({ space }: Arm): number {
  const [low, high] = space.parameters["weight"]!.range;
  return high - low;
}
