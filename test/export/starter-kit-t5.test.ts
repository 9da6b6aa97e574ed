import { expect, test } from "vitest";
import { starterKitModule } from "../../src/export/starter-kit/starter-kit-module.ts";
import { uniformRecipe } from "../../src/merge/recipe.ts";
import { allWeights } from "../../src/model/architecture.ts";
import { tinyT5 } from "../tiny-t5.ts";

function reference(name: string): { readonly name: string; readonly revision: string } {
  return { name, revision: "0".repeat(40) };
}

test("the class of a T5 scores and answers behind its start token, with coefficients of both stacks", () => {
  const model = tinyT5({ decoder_start_token_id: 3 });
  const text = starterKitModule({
    className: "Tiny",
    method: "tiny",
    recipe: uniformRecipe("task_arithmetic", { nature: 0.25, craft: 0.5 }, model.groups),
    base: reference("org/base"),
    experts: ["nature", "craft"].map((name) => ({ name, reference: reference(`org/${name}`) })),
    weights: allWeights(model).map((weight) => ({ ...weight, dtype: "bf16" as const })),
    model,
    version: "1.2.3",
  });
  expect(text).toContain('self.architecture = "encoder_decoder"');
  expect(text).toContain("AutoModelForSeq2SeqLM.from_pretrained(");
  expect(text).not.toContain("AutoModelForCausalLM");
  expect(text).toContain("START_TOKEN = 3\n");
  expect(text).toContain(
    '"decoder.block.{}.layer.1.EncDecAttention.q.weight", "decoder.attention", torch.bfloat16, range(0, 3)',
  );
  expect(text).toContain('"shared.weight", "encoder.embedding", torch.bfloat16, [None]');
});
