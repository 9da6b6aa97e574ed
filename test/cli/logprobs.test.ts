import { expect, test } from "vitest";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyModel } from "../tiny-model.ts";
import { evomerge, type Ended } from "./evomerge.ts";

/** Of a tiny model in a folder of its own, without a tokenizer. */
async function logprobs(ids: string): Promise<Ended> {
  const folder = await writeTinyModel(await temporaryFolder());
  return evomerge(folder, ["logprobs", ".", "--ids", ids, "--engine", "ggml"]);
}

test("evomerge logprobs prints one JSON object and nothing else", async () => {
  const { code, stdout, stderr } = await logprobs("[1, 2, 39, 2]");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^\{"logProbabilities":\[-[\d.]+,-[\d.]+,-[\d.]+\]\}\n$/);
});

test.each([
  ["[1, 2", "--ids: expected a list such as [1, 2, 3]: this JSON ends too early"],
  ["1 2", "--ids: expected a list such as [1, 2, 3]: this is not JSON from character 3 on"],
  [
    '{"encoder":[1],"decoder":[1]}',
    "ids: expected one list, such as [1, 2, 3], since this model is causal; found lists for an encoder and a decoder",
  ],
])("evomerge logprobs --ids '%s' ends with 1 and one sentence", { concurrent: true }, async (ids, message) => {
  expect(await logprobs(ids)).toEqual({ code: 1, stdout: "", stderr: `evomerge: ${message}\n` });
});
