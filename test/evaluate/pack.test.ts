import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  packedLength,
  packGroups,
  packPrompts,
  planBatches,
  type PackedBatch,
  type Prompt,
} from "../../src/evaluate/pack.ts";

const ids = (minLength: number, maxLength: number): fc.Arbitrary<Int32Array> =>
  fc.array(fc.integer({ min: 1, max: 30 }), { minLength, maxLength }).map((tokens) => Int32Array.from(tokens));
const prompt: fc.Arbitrary<Prompt> = fc.record({
  context: ids(1, 9),
  continuations: fc.array(ids(1, 4), { minLength: 1, maxLength: 4 }),
});
const prompts = fc.array(prompt, { minLength: 1, maxLength: 7 });
const options = fc.record({
  batchTokens: fc.integer({ min: 1, max: 100 }),
  windows: fc.record({ causal: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 6 })) }),
});

function promptOf(context: readonly number[], ...continuations: readonly number[][]): Prompt {
  return { context: Int32Array.from(context), continuations: continuations.map((ids) => Int32Array.from(ids)) };
}

/** Rows of the batch that a row sees, itself included. */
function seenBy(row: number, { length, masks }: PackedBatch): number[] {
  const first = row - (row % length);
  return [...masks["causal"]!.subarray(row * length, (row + 1) * length)].flatMap((value, column) =>
    value === 0 ? [first + column] : [],
  );
}

/**
 * Checks that a row is what it would be in a sequence of its own: `prefix`, which ends with the row's token, stands at
 * the positions 0, 1, ... and the row sees the last `window` tokens of it. The same must hold for all that it sees.
 */
function expectAlone(
  batch: PackedBatch,
  row: number,
  prefix: readonly number[],
  { window, checked }: { readonly window: number; readonly checked: Set<string> },
): void {
  const key = `${row}: ${prefix.join(" ")}`;
  if (checked.has(key)) return;
  checked.add(key);
  const seen = seenBy(row, batch);
  const start = Math.max(0, prefix.length - window);
  expect(batch.positions["every"]![row]).toBe(prefix.length - 1);
  expect(seen.map((other) => batch.positions["every"]![other])).toEqual(prefix.slice(start).map((_, i) => start + i));
  expect(seen.map((other) => batch.tokens[other])).toEqual(prefix.slice(start));
  for (const other of seen) {
    expectAlone(batch, other, prefix.slice(0, batch.positions["every"]![other]! + 1), { window, checked });
  }
}

/** The prompts of a batch. */
function membersOf({ targets }: PackedBatch): number[] {
  return [...new Set(targets.map(({ prompt }) => prompt))];
}

describe("packPrompts", () => {
  test("lays a prompt out as its context and all but the last token of each continuation", () => {
    const [batch] = packPrompts([promptOf([5, 6], [7, 8, 9], [10], [11, 12])], {
      batchTokens: 16,
      windows: { causal: Infinity },
    });
    const { length, tokens, positions, masks, ...rest } = batch!;
    expect(tokens.subarray(0, 5)).toEqual(Int32Array.of(5, 6, 7, 8, 11));
    expect(positions["every"]!.subarray(0, 5)).toEqual(Int32Array.of(0, 1, 2, 3, 2));
    const o = 0;
    const x = -Infinity;
    expect([0, 1, 2, 3, 4].map((row) => [...masks["causal"]!.subarray(row * length, row * length + 5)])).toEqual([
      [o, x, x, x, x],
      [o, o, x, x, x],
      [o, o, o, x, x],
      [o, o, o, o, x],
      [o, o, x, x, o],
    ]);
    expect(rest).toEqual({
      members: [0],
      sequences: 1,
      counts: [5],
      targets: [
        { prompt: 0, continuation: 0, row: 1, token: 7 },
        { prompt: 0, continuation: 0, row: 2, token: 8 },
        { prompt: 0, continuation: 0, row: 3, token: 9 },
        { prompt: 0, continuation: 1, row: 1, token: 10 },
        { prompt: 0, continuation: 2, row: 1, token: 11 },
        { prompt: 0, continuation: 2, row: 4, token: 12 },
      ],
    });
  });

  test("gives every continuation a row per token that sees its context, what it is of itself so far, and no more", () => {
    fc.assert(
      fc.property(prompts, options, (prompts, options) => {
        const predicted = prompts.map(({ continuations }) => continuations.map((): number[] => []));
        for (const batch of packPrompts(prompts, options)) {
          const checked = new Set<string>();
          for (const { prompt, continuation, row, token } of batch.targets) {
            const own = predicted[prompt]![continuation]!;
            expectAlone(batch, row, [...prompts[prompt]!.context, ...own], { window: options.windows.causal, checked });
            own.push(token);
          }
        }
        expect(predicted).toEqual(prompts.map(({ continuations }) => continuations.map((ids) => [...ids])));
      }),
    );
  });

  test("keeps padding to itself", () => {
    fc.assert(
      fc.property(prompts, options, (prompts, options) => {
        for (const batch of packPrompts(prompts, options)) {
          const real = new Set<number>();
          for (const { prompt, row } of batch.targets) {
            const first = row - (row % batch.length);
            for (let i = 0; i < packedLength(prompts[prompt]!); i++) real.add(first + i);
          }
          for (const row of batch.tokens.keys()) {
            if (real.has(row)) expect(seenBy(row, batch).every((other) => real.has(other))).toBe(true);
            else expect(seenBy(row, batch)).toEqual([row]);
          }
        }
      }),
    );
  });

  test("puts the longest first, in lengths of whole vectors, as many together as batchTokens holds", () => {
    fc.assert(
      fc.property(prompts, options, (prompts, options) => {
        const batches = packPrompts(prompts, options);
        const members = batches.map(membersOf);
        const lengths = members.flat().map((index) => packedLength(prompts[index]!));
        expect(members.flat().toSorted((a, b) => a - b)).toEqual([...prompts.keys()]);
        expect(lengths).toEqual(lengths.toSorted((a, b) => b - a));
        for (const [i, { sequences, length, tokens, positions, masks }] of batches.entries()) {
          expect(sequences).toBe(members[i]!.length);
          expect(length).toBe(16 * Math.ceil(packedLength(prompts[members[i]![0]!]!) / 16));
          expect(sequences === 1 || sequences * length <= options.batchTokens).toBe(true);
          expect(i === batches.length - 1 || (sequences + 1) * length > options.batchTokens).toBe(true);
          expect([tokens.length, positions["every"]!.length, masks["causal"]!.length]).toEqual(
            [1, 1, length].map((factor) => factor * sequences * length),
          );
        }
      }),
    );
  });

  test("keeps the prompts of a group together, apart only where one batch is too small for them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(prompt, { minLength: 1, maxLength: 4 }), { maxLength: 7 }),
        options,
        (groups, options) => {
          const groupOf = groups.flatMap((group, i) => group.map(() => i));
          const lists = packGroups(groups, options);
          const members = lists.map((list) => list.map(membersOf));
          expect(members.flat(2).toSorted((a, b) => a - b)).toEqual([...groupOf.keys()]);
          for (const [i, list] of lists.entries()) {
            const own = new Set(members[i]!.flat().map((index) => groupOf[index]!));
            for (const group of own)
              expect(groupOf.filter((other) => other === group)).toHaveLength(
                members[i]!.flat().filter((index) => groupOf[index] === group).length,
              );
            expect(list.length === 1 || own.size === 1).toBe(true);
            for (const { sequences, length } of list)
              expect(sequences === 1 || sequences * length <= options.batchTokens).toBe(true);
          }
          const alone = groups.flat();
          const single = packGroups(
            alone.map((one) => [one]),
            options,
          );
          expect(single.flat()).toEqual(packPrompts(alone, options));
        },
      ),
    );
  });

  test("keeps prompts of equal length in their order, so that equal rows give equal batches", () => {
    const equal = Array.from({ length: 5 }, (_, i) => promptOf([i + 1, 2], [3]));
    const [batch] = packPrompts(equal, { batchTokens: 80, windows: { causal: Infinity } });
    expect(batch!.targets.map(({ prompt }) => prompt)).toEqual([0, 1, 2, 3, 4]);
  });

  test("makes of the prompts of some neighbouring batches these batches alone, and plans them as it packs them", () => {
    const bounds = fc.tuple(fc.nat(6), fc.nat(6));
    fc.assert(
      fc.property(fc.array(prompt, { minLength: 1, maxLength: 20 }), options, bounds, (all, packing, [one, other]) => {
        const batches = packPrompts(all, packing);
        const plans = planBatches(all, packing);
        expect(plans).toEqual(
          batches.map(({ members, sequences, length, counts }) => ({ members, sequences, length, counts })),
        );
        const some = batches.slice(Math.min(one, other), Math.max(one, other) + 1);
        const members = some.flatMap((batch) => batch.members).toSorted((a, b) => a - b);
        const alone = packPrompts(
          members.map((member) => all[member]!),
          packing,
        );
        const renumbered = alone.map((batch) => ({
          ...batch,
          members: batch.members.map((member) => members[member]!),
          targets: batch.targets.map((target) => ({ ...target, prompt: members[target.prompt]! })),
        }));
        expect(renumbered).toEqual(some);
      }),
    );
  });

  test("adds no token for continuations of one token", () => {
    expect(packedLength(promptOf([1, 2, 3], [4], [5], [6], [7]))).toBe(3);
    expect(packedLength(promptOf([1, 2, 3], [4], [5, 6]))).toBe(4);
  });

  test("makes no batch of no prompts", () => {
    expect(packPrompts([], { batchTokens: 8, windows: { causal: Infinity } })).toEqual([]);
  });
});
