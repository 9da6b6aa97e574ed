import { cpSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { checksum, decodeLine, encodeEntry, type Entry } from "../../../src/journal/record-line.ts";
import type { NumbersRef, RecordPayloads, RecordType } from "../../../src/journal/records.ts";
import { readOutcome } from "../../../src/run/read-outcome.ts";
import { resumeRun } from "../../../src/run/resume-run.ts";
import { launch, sharedRun } from "../../observed-run.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { recorded, tinyExperiment } from "../../tiny-experiment.ts";

const run = sharedRun();

/** A fault, the changes to records of the finished run that bring it about, and how its sentence goes on. */
type Fault = readonly [
  fault: string,
  changes: { readonly [Type in RecordType]?: (record: RecordPayloads[Type]) => object },
  says: string,
];

const passthrough = { method: "passthrough", model: "nobody" };

const faults: readonly Fault[] = [
  [
    "weights of other parents",
    { parents: ({ tensors }) => ({ tensors: { base: tensors["base"], craft: tensors["craft"] } }) },
    "record # of the journal: expected the 3 parents of this run, found 2 that are not the same",
  ],
  [
    "a tensor that no parent has",
    {
      parents: ({ tensors }) => ({
        tensors: JSON.parse(JSON.stringify(tensors).replace("q_proj.weight", "q_proj.weightx")) as object,
      }),
    },
    "record # of the journal: expected tensors that the parents have, found the name of another",
  ],
  [
    "baselines of another run",
    { baselines: ({ models: [first, ...others] }) => ({ models: [{ ...first, name: "other" }, ...others] }) },
    "record # of the journal: expected the 10 baselines of this run, found 11 that are not the same",
  ],
  [
    "baselines that all failed",
    { baselines: ({ models }) => ({ models: models.map((model) => ({ ...model, loss: Number.NaN })) }) },
    "record # of the journal: expected a finite loss of the uniform average, found NaN",
  ],
  [
    "a baseline less",
    { baselines: ({ models }) => ({ models: models.slice(1) }) },
    "the baselines in the journal: expected those that its rungs make, found others",
  ],
  [
    "genes of other names",
    { plan: ({ genes }) => ({ genes: genes.toReversed() }) },
    "record # of the journal: expected the 8 genes of this run, found 8 that are not the same",
  ],
  [
    "a winner that is nobody",
    { finalists: ({ winner }) => ({ winner: { ...winner, recipe: passthrough } }) },
    "record # of the journal: expected a recipe of this run's parents, found another model's name",
  ],
  [
    "a winner without a layer",
    {
      finalists: ({ winner }) => ({
        winner: JSON.parse(JSON.stringify(winner).replaceAll(/"layers":\[[^\]]*\]/g, '"layers":[]')) as object,
      }),
    },
    "record # of the journal: expected a recipe with a value for every parameter, weight and expert",
  ],
  [
    "a model on the guard rows without coefficients",
    {
      verdict: ({ models }) => ({
        models: models.map((model) => ({ ...model, recipe: { method: "linear", parameters: {} } })),
      }),
    },
    "record # of the journal: expected a recipe with a value for every parameter, weight and expert",
  ],
];

/** A copy of a run with these changes to its records. */
async function expectRefusal(of: string, changes: Fault[1], says: string): Promise<void> {
  const folder = join(await temporaryFolder(), "run");
  cpSync(of, folder, { recursive: true });
  const path = join(folder, "journal.jsonl");
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  const changed = lines.map((line) => {
    const entry = decodeLine(line) as Entry;
    const change = changes[entry.record.type] as ((record: object) => object) | undefined;
    return encodeEntry({ ...entry, record: { ...entry.record, ...change?.(entry.record) } });
  });
  writeFileSync(path, changed.join(""));
  for (const read of [readOutcome, resumeRun]) {
    const reason: unknown = await read(folder).catch((error: unknown) => error);
    expect(reason).toBeInstanceOf(UserError);
    expect((reason as UserError).message.replace(/record \d+/, "record #")).toContain(`${folder}${says}`);
  }
  expect(readFileSync(path, "utf8")).toBe(changed.join(""));
}

describe("a journal that is sound in itself", () => {
  test.each(faults)("is refused for %s, in one sentence", async (...[, changes, says]) => {
    await expectRefusal(run.folder, changes, `: ${says}`);
  });

  test.each(["start", "points"] as const)(
    "is refused for a number of its %s that is another, or is none",
    async (field) => {
      const folder = join(await temporaryFolder(), "run");
      cpSync(run.folder, folder, { recursive: true });
      const path = join(folder, "numbers.bin");
      const [plan] = recorded(folder, "plan");
      const [ask] = recorded(folder, "ask");
      const { offset, count } = { ...plan, ...ask }[field]!;
      const numbers = readFileSync(path);
      const points = numbers.subarray(offset, offset + 8 * count);
      const changed = (ref: NumbersRef): NumbersRef =>
        ref.offset === offset ? { ...ref, checksum: checksum(points) } : ref;
      const changes: Fault[1] = {
        plan: ({ start }) => ({ start: changed(start) }),
        ask: (asked) => ({ points: changed(asked.points) }),
      };
      points[8] = points[8]! ^ 1;
      writeFileSync(path, numbers);
      await expectRefusal(folder, changes, ": generation 0 of the journal has other genes than evomerge proposes here");
      points.writeDoubleLE(Number.NaN, 8);
      writeFileSync(path, numbers);
      const says = `/numbers.bin: the number at byte ${offset + 8}: expected a coordinate from 0 to 1, found NaN`;
      await expectRefusal(folder, changes, says);
    },
  );

  test("is refused without the gradients of a walk, in one sentence", async () => {
    const file = { search: { algorithm: "gradient-walk" }, budget: { evaluations: 8 } };
    const { folder } = await launch(
      await tinyExperiment(await temporaryFolder(), { file }),
      join(await temporaryFolder(), "run"),
    );
    await expectRefusal(
      folder,
      { result: () => ({ gradients: undefined }) },
      ": record # of the journal: expected gradients of a generation by gradient-walk, found none",
    );
  });

  test("with another population, genes of columns or other tasks is refused", async () => {
    const folder = join(await temporaryFolder(), "run");
    cpSync(run.folder, folder, { recursive: true });
    const path = join(folder, "journal.jsonl");
    const whole = readFileSync(path, "utf8").split("\n");
    const cut = whole.findIndex((line) => line.includes('"type":"plan"'));
    const rewrite = (find: string | RegExp, replacement: string, numberBytes?: number): void => {
      const lines = whole.slice(0, cut + 1).map((line) => {
        const text = JSON.stringify(decodeLine(line)).replaceAll(find, replacement);
        return encodeEntry({ ...(JSON.parse(text) as Entry), ...(numberBytes && { numberBytes }) });
      });
      writeFileSync(path, lines.join(""));
    };
    rewrite('"candidates":5,"rowFraction":0.5,"elapsedMs"', '"candidates":6,"rowFraction":0.5,"elapsedMs"');
    await expect(resumeRun(folder)).rejects.toThrow("expected 5 candidates of a generation, found 6; resume with");
    const numbers = join(folder, "numbers.bin");
    const size = statSync(numbers).size + 8;
    truncateSync(numbers, size);
    rewrite(/"start":\{(.*?),"count":8(.*?)\}.*,"cand/g, '"columns":1,"start":{$1,"count":9$2},"cand', size);
    await expect(resumeRun(folder)).rejects.toThrow("expected 0 genes of columns, found 1; resume with");
    rewrite('"quiz":', '"quizz":');
    await expect(resumeRun(folder)).rejects.toThrow("expected the 2 tasks of this run, found 2 that are not the same");
  });
});
