import { UserError } from "../errors.ts";
import type { CopyRecipe, Recipe, StackedLayer, StackRecipe } from "../merge/recipe.ts";
import type { Model } from "../model/architecture.ts";
import { upperQuantile } from "../tensor/normal.ts";
import type { Gene } from "./coefficient.ts";
import { checkPoint, type Genome } from "./genome.ts";
import type { StackSpace } from "./stack-space.ts";

/** What a candidate of a first generation has otherwise than the start: with many more changes hardly a model works. */
const FIRST_CHANGES = 1.5;

/** What stacks are made of: the base and behind it the experts, and such a model as all of them are. */
export interface StackParents {
  readonly models: readonly string[];
  readonly model: Pick<Model, "groups" | "restacked">;
}

/** A gene with a number of choices, or 0 where it may have any value. */
interface StackGene extends Gene {
  readonly levels: number;
}

/** A place for a layer, and its genes; what has no gene is no choice. */
interface Position {
  /** The layer that a parent's own stack has there. */
  readonly own: number;
  /** Whether it has; of several positions with the same layer the first one does. */
  readonly isUsed: boolean;
  /** The first layer that it may take. */
  readonly first: number;
  readonly used: number | undefined;
  readonly model: number | undefined;
  readonly layer: number | undefined;
  readonly scale: number | undefined;
}

/** The genes of a space of stacks. Only the parents' own stacks have points that are known. */
export function buildStackGenome(space: StackSpace, { models, model }: StackParents): Genome {
  if (!model.restacked) {
    throw new UserError(
      "the search space stacks layers: expected models of one stack, whose layers add to the hidden states what their last products give, found others, such as T5 or Gemma 2; take other models, or a space with another method",
    );
  }
  const layers = model.groups[0]?.layers ?? 0;
  const { genes, positions } = layOut(space, models, layers);
  const deviations = deviationsOf(space, genes);
  const sigma = Math.max(...deviations, Number.MIN_VALUE);
  const startOf = (parent: string): Float64Array => ownStack(space, genes, positions, models.indexOf(parent));
  return {
    dimension: genes.length,
    genes,
    levels: genes.map(({ levels }) => levels),
    start: startOf(models[0] ?? ""),
    sigma,
    scales: Float64Array.from(deviations, (own) => own / sigma),
    rates: new Float64Array(genes.length),
    summary: summaryOf(space, genes.length),
    decode(point) {
      checkPoint(point, genes.length);
      return stackAt(space, genes, positions, models, point);
    },
    startAt: (recipe) => (isOwnStack(recipe, space, layers) ? startOf(recipe.model) : undefined),
    pullBack() {
      throw new Error("genome: choices of layers have no derivatives");
    },
  };
}

/** Positions evenly over the parents' layers, so that each has a layer that is its own; the first gene is that of the rest. */
function layOut(
  space: StackSpace,
  models: readonly string[],
  layers: number,
): { readonly genes: readonly StackGene[]; readonly positions: readonly Position[] } {
  const genes: StackGene[] = [];
  const choice = (name: string, count: number, first = 0): number | undefined =>
    count > 1 ? genes.push({ name, levels: count, range: [first - 1 / 2, first + count - 1 / 2] }) - 1 : undefined;
  choice("rest", models.length);
  const { count, isFixed } = sizeOf(space);
  const window = space.window === "any" ? layers : space.window;
  const owns = Array.from({ length: count }, (_, i) => Math.floor((i * layers) / count));
  const positions = owns.map((own, i): Position => {
    const [first, last] = [Math.max(0, own - window), Math.min(layers - 1, own + window)];
    return {
      own,
      first,
      isUsed: isFixed || owns.indexOf(own) === i,
      used: isFixed ? undefined : choice(`${i}.used`, 2),
      model: choice(`${i}.model`, models.length),
      layer: choice(`${i}.layer`, last - first + 1, first),
      scale:
        typeof space.scale === "number"
          ? undefined
          : genes.push({ name: `${i}.scale`, levels: 0, range: space.scale.range }) - 1,
    };
  });
  return { genes, positions };
}

function sizeOf({ layers }: StackSpace): { readonly count: number; readonly isFixed: boolean } {
  return "exactly" in layers ? { count: layers.exactly, isFixed: true } : { count: layers.atMost, isFixed: false };
}

/** So that about as many choices as told are made otherwise at first, each the likelier the fewer there are. */
function deviationsOf({ scale }: StackSpace, genes: readonly StackGene[]): number[] {
  const choices = genes.filter(({ levels }) => levels > 0).length;
  const farthest = upperQuantile(Math.min(1 / 2, FIRST_CHANGES / choices) / 2);
  return genes.map(({ levels, range: [low, high] }) =>
    levels === 0 && typeof scale !== "number" ? scale.sigma / (high - low) : 1 / 2 / levels / farthest,
  );
}

/** The point of a parent as it is, as far as the space has one. */
function ownStack(
  { scale }: StackSpace,
  genes: readonly StackGene[],
  positions: readonly Position[],
  parent: number,
): Float64Array {
  const point = new Float64Array(genes.length);
  const choose = (gene: number | undefined, choice: number): void => {
    if (gene !== undefined) point[gene] = (choice + 1 / 2) / (genes[gene]?.levels ?? 1);
  };
  choose(0, parent);
  for (const { own, isUsed, first, ...at } of positions) {
    choose(at.used, isUsed ? 1 : 0);
    choose(at.model, parent);
    choose(at.layer, own - first);
    if (at.scale !== undefined && typeof scale !== "number") {
      const [low, high] = scale.range;
      point[at.scale] = (1 - low) / (high - low);
    }
  }
  return point;
}

function isOwnStack(recipe: Recipe, space: StackSpace, layers: number): recipe is CopyRecipe {
  const { count, isFixed } = sizeOf(space);
  const isAsItIs = typeof space.scale !== "number" || space.scale === 1;
  return recipe.method === "passthrough" && isAsItIs && (isFixed ? count === layers : count >= layers);
}

/** Where no layer is left the first position has one all the same: there is no model of no layers. */
function stackAt(
  { scale }: StackSpace,
  genes: readonly StackGene[],
  positions: readonly Position[],
  models: readonly string[],
  point: Float64Array,
): StackRecipe {
  const chosen = (gene: number | undefined): number => {
    if (gene === undefined) return 0;
    const { levels = 1 } = genes[gene] ?? {};
    return Math.min(levels - 1, Math.floor((point[gene] ?? Number.NaN) * levels));
  };
  const nameOf = (gene: number | undefined): string => models[chosen(gene)] ?? "";
  const scaleOf = ({ scale: gene }: Position): number => {
    if (gene === undefined || typeof scale === "number") return Number(scale);
    const [low, high] = scale.range;
    return low + (point[gene] ?? Number.NaN) * (high - low);
  };
  const used = positions.filter((position) => position.used === undefined || chosen(position.used) === 1);
  const layers = (used.length > 0 ? used : positions.slice(0, 1)).map((position): StackedLayer => ({
    model: nameOf(position.model),
    layer: position.first + chosen(position.layer),
    // As engines have it, and so all that is said of it.
    scale: Math.fround(scaleOf(position)),
  }));
  return { method: "stack", layers, rest: nameOf(models.length > 1 ? 0 : undefined) };
}

/** Such as `17 genes: a stack of at most 6 layers, each up to 1 from its place`. */
function summaryOf(space: StackSpace, genes: number): string {
  const { count, isFixed } = sizeOf(space);
  const places = space.window === "any" ? "from anywhere" : `up to ${space.window} from its place`;
  return `${genes} gene${genes === 1 ? "" : "s"}: a stack of ${isFixed ? "" : "at most "}${count} layer${count === 1 ? "" : "s"}, each ${places}`;
}
