import { describe, expect, test } from "vitest";
import { Lineages } from "../../src/search/lineages.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { distanceTo, type Landscape, run, scoresOf } from "./landscapes.ts";

const start = new Float64Array(10).fill(0.9);
const options = { start, sigma: 0.1, seed: 1 };

describe("lineages", () => {
  test("begin at the start, at the given points, and around the start", () => {
    const given = new Float64Array(10).fill(0.2);
    const points = new Lineages({ ...options, populationSize: 5, inject: [given] }).ask().map(({ point }) => point);
    expect(points.slice(0, 2)).toEqual([start, given]);
    for (const point of points.slice(2)) {
      const distance = distanceTo(0.9).loss(point);
      expect(distance).toBeGreaterThan(0);
      expect(distance).toBeLessThan(1);
    }
  });

  test("leave a valley that is not the deepest, where one of them began in a deeper one", () => {
    // Two funnels, and a ridge between them that no gradient leads across.
    const valleys: Landscape = {
      loss: (x) => (inDeeper(x) ? distanceTo(0.2).loss(x) : 1 + distanceTo(0.8).loss(x)),
      gradient: (x) => distanceTo(inDeeper(x) ? 0.2 : 0.8).gradient(x),
    };
    const inject = [new Float64Array(10).fill(0.3)];
    const lineages = new Lineages({ ...options, inject });
    run(lineages, valleys, 60);
    expect(distanceTo(0.2).loss(lineages.recommend())).toBeLessThan(0.05);
    expect(lineages.ask().every(({ point }) => inDeeper(point))).toBe(true);
  });

  test("are stuck where all of them fail at the start, and not where one does not", () => {
    const lineages = new Lineages(options);
    expect(stuckAfter(lineages, 4)).toBe(true);
    expect(stuckAfter(lineages, 3)).toBe(false);
    expect(stuckAfter(lineages, 4)).toBe(false);
  });

  test("adapt a rate that is far too small", () => {
    const reached = [1e-3, 1e-2].map((rate) => {
      const lineages = new Lineages({ ...options, rates: new Float64Array(10).fill(rate), populationSize: 8 });
      for (let step = 0; step < 150; step++) lineages.tell(scoresOf(lineages.ask(), distanceTo(0.1)), 0);
      return distanceTo(0.1).loss(lineages.recommend());
    });
    const walked = 150 * 1e-3 * Math.sqrt(10);
    expect(reached[0]).toBeLessThan(distanceTo(0.1).loss(start) - 1.5 * walked);
  });

  test("go by how their losses compare, however hard the rows of a generation are", () => {
    const asked = [0, 100].map((spread) => {
      const random = RandomStream.of(1, "rows");
      const lineages = new Lineages(options);
      return Array.from({ length: 40 }, (_, step) => {
        const difficulty = Math.floor(spread * random.uniform());
        const candidates = lineages.ask();
        const scores = scoresOf(candidates, distanceTo(0.1));
        const told = scores.map((score) => ({ ...score, loss: score.loss + difficulty }));
        lineages.tell(told, step / 40);
        return candidates;
      });
    });
    expect(asked[1]).toEqual(asked[0]);
  });
});

/** Tells lineages a generation of which so many have no finite derivatives, and whether they are stuck then. */
function stuckAfter(lineages: Lineages, failing: number): boolean {
  const scores = scoresOf(lineages.ask(), distanceTo(0.1));
  for (const { gradient } of scores.slice(0, failing)) gradient!.fill(NaN, 9);
  lineages.tell(scores, 0);
  return lineages.isStuck;
}

function inDeeper(x: Float64Array): boolean {
  return x[0]! < 0.5;
}
