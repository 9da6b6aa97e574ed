/**
 * Stages whose large weight, such as the head of a large vocabulary, comes in blocks of its rows: each becomes several, one for each block,
 * which is merged and multiplied while the next is read. What the blocks give waits on the device for the last of them. The bits are
 * those of the undivided stage, which multiplies in the same blocks.
 * @module
 */
import { computeRows, isElementwise } from "../device/compute-rows.ts";
import { input, matmul, type Expression, type Node } from "../device/expression.ts";
import { inOrder, substitute } from "../device/graph.ts";
import { sideBySide, type RowRange } from "../device/row-blocks.ts";
import type { Stage, State } from "../model/architecture.ts";
import type { PackedBatch } from "./pack.ts";
import type { PathStage, StagePath, StagePaths } from "./path.ts";
import type { Route } from "./route.ts";
import type { Merging } from "./stage-run.ts";

/** Bytes of a logit, f32, and about those of an element of a parent. */
const [LOGIT_BYTES, ELEMENT_BYTES] = [4, 2];

/**
 * The same paths where last stages are divided, if the products of all candidates take no more memory than the parents' weight does as a whole. The
 * route is that of the paths as they are.
 */
export function dividedPaths(
  { parents, experts }: Pick<Merging, "parents" | "experts">,
  { paths, route }: { readonly paths: StagePaths; readonly route: Route },
  packed: readonly PackedBatch[],
): StagePaths {
  const targets = packed.reduce((sum, batch) => sum + batch.targets.length, 0);
  const known = new Map<Stage["forward"], readonly Stage[]>();
  const divided = (path: StagePath): StagePath => {
    const last = path.at(-1)!;
    const [role] = last.stage.multiplied ?? [];
    if (role === undefined) return path;
    const { name } = last.sources[role]!;
    const { shape } = last.stage.weights[role]!;
    const [, width = 1] = shape;
    // Of each row of the weight: its logits of all candidates, and what it is in all parents.
    const isSmall = LOGIT_BYTES * paths.size * targets <= ELEMENT_BYTES * width * (1 + experts.length);
    const blocks = isSmall ? parents.blocksOf(name, shape, route) : [];
    // A tied head is there as the embedding.
    const isShared = (): boolean =>
      path.some((at) => at !== last && Object.values(at.sources).some((source) => source.name === name));
    if (blocks.length <= 1 || isShared()) return path;
    const stages = known.get(last.stage.forward) ?? dividedStage(last.stage, role, blocks);
    known.set(last.stage.forward, stages);
    return [...path.slice(0, -1), ...stages.map((stage, i) => partOf(last, role, stage, blocks[i]!))];
  };
  const all = Array.from(paths, ([candidate, path]) => [candidate, divided(path)] as const);
  return known.size > 0 ? new Map(all) : paths;
}

function partOf({ sources }: PathStage, role: string, stage: Stage, rows: RowRange): PathStage {
  return { stage, sources: { ...sources, [role]: { ...sources[role]!, rows } }, isPart: true };
}

/** One stage for each block. All but the last hand on what they were given, and beside it their columns of the products. */
function dividedStage(stage: Stage, role: string, blocks: readonly RowRange[]): Stage[] {
  const whole = stage.weights[role]!;
  return blocks.map(({ count }, part): Stage => {
    const isLast = part === blocks.length - 1;
    const weights = { ...stage.weights, [role]: { ...whole, shape: [count, ...whole.shape.slice(1)] } };
    return {
      ...stage,
      weights,
      forward: (merged, state, batch) => {
        const before = Object.fromEntries(Object.entries(state).filter(([name]) => !isOfPart(name)));
        // It is nowhere: what is made of it is taken out again.
        const absent = input({ dtype: merged[role]!.dtype, shape: whole.shape });
        const after = stage.forward({ ...merged, [role]: absent }, before, batch);
        const products = productsWith(absent, after);
        const own = products.map((product) => columnsOf(product, absent, merged[role]!));
        if (!isLast) return { ...state, ...Object.fromEntries(own.map((columns, i) => [nameOf(part, i), columns])) };
        const all = products.map((product, i) => {
          const others = Array.from({ length: part }, (_, earlier) => state[nameOf(earlier, i)]!);
          return [product, sideBySide([...others, own[i]!])] as const;
        });
        const outputs = substitute(Object.values(after), new Map<Expression, Expression>(all));
        return Object.fromEntries(Object.keys(after).map((name, i) => [name, outputs[i]!]));
      },
    };
  });
}

const PART = "part ";

function nameOf(part: number, product: number): string {
  return `${PART}${part} ${product}`;
}

function isOfPart(name: string): boolean {
  return name.startsWith(PART);
}

/** Products by a weight, in the order in which they are computed. */
function productsWith(weight: Expression, after: State): Node<"matmul">[] {
  return inOrder(Object.values(after)).filter(
    (node) => node.op === "matmul" && node.transposeY && isElementwise(node.y) && inOrder([node.y]).includes(weight),
  ) as Node<"matmul">[];
}

function columnsOf({ x, y, ...options }: Node<"matmul">, whole: Expression, rows: Expression): Expression {
  const take = (table: Expression): Expression => (table === whole ? rows : table);
  return matmul(x, computeRows(y, { take }, new Map()), options);
}
