import { parseReference } from "../../hub/api/reference.ts";
import { cardHead, linkOf, oneLine } from "../card-parts.ts";
import { mergedLicence } from "../licence.ts";
import { lmEvalCommand } from "../lm-eval-command.ts";

export interface MergeFacts {
  /** Of the model's folder. */
  readonly name: string;
  readonly method: string;
  /** The recipe as a file. */
  readonly text: string;
  readonly models: readonly CardModel[];
  /** Of evomerge. */
  readonly version: string;
}

export interface CardModel {
  readonly name: string;
  /** Folder, or name on the Hub. */
  readonly path: string;
  /** Undefined where none is stated. */
  readonly licence: string | undefined;
}

/** The README.md of a model that was merged by a recipe: what of, and how. */
export function mergeCard({ name, method, text, models, version }: MergeFacts): string {
  const licence = mergedLicence(new Map(models.map((model) => [model.name, model.licence])));
  const listed = models.map((model) => {
    const place = parseReference(model.path) ? linkOf(model.path) : `${oneLine(model.name)}, a local model`;
    return `- ${place}, licence ${model.licence ?? "not stated"}`;
  });
  return `---
${cardHead(models, licence)}---

# ${oneLine(name)}

A merge by evomerge ${version}, without training, with the method \`${method}\`, of these models:

${listed.join("\n")}

## Licence

${licence.note}

## Recipe

\`\`\`yaml
${text.replaceAll("```", "` ` `").trimEnd()}
\`\`\`

## Evaluation

\`\`\`
${lmEvalCommand(".")}
\`\`\`
`;
}
