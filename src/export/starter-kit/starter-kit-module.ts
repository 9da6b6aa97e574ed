import { BASE } from "../../experiment/the-base.ts";
import type { HubReference } from "../../hub/api/reference.ts";
import { declarationOf } from "../../merge/declarations.ts";
import { formulaParameters } from "../../merge/formula-numbers.ts";
import { isRandom, optionsOf } from "../../merge/method.ts";
import { hasColumns, type WeightwiseRecipe } from "../../merge/recipe.ts";
import type { Model } from "../../model/architecture.ts";
import { commonDtype } from "../common-dtype.ts";
import type { KitName } from "./kit-name.ts";
import { classMembers } from "./class-text.ts";
import { coefficients, coefficientText, groupIn, numberedPart } from "./coefficients-text.ts";
import { coefficientsWithColumns } from "./columns-text.ts";
import { formulaBody } from "./formula-text.ts";
import { functions } from "./function-text.ts";
import { pythonString } from "./python-literal.ts";
import { type ReadingText, readingText } from "./reading-text.ts";
import { type StoredWeight, tensorTable, torchDtype } from "./tensor-table.ts";

/** A merge whose parents anyone can download. */
export interface StarterKitSource extends KitName {
  /** With the numbers that the method's formula takes. */
  readonly recipe: WeightwiseRecipe;
  /** At a commit, as are the experts. */
  readonly base: HubReference;
  /** In the order of summation. */
  readonly experts: readonly { readonly name: string; readonly reference: HubReference }[];
  /** Every weight of the merged model, with the base's dtype. */
  readonly weights: readonly StoredWeight[];
  /** What its scores depend on. */
  readonly model: Pick<Model, "encoding" | "maxLength">;
  /** Of evomerge. */
  readonly version: string;
}

/** Those that each module has, and those of its coefficients. */
const importsWith = (recipe: WeightwiseRecipe, { autoModel }: ReadingText): string => `import ast
${hasColumns(recipe) ? "import base64\n" : ""}import copy
import functools
${seedOf(recipe) === undefined ? "" : "import hashlib\n"}import json
import os
import shutil

import torch
import transformers
from huggingface_hub import hf_hub_download
from huggingface_hub.utils import EntryNotFoundError
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoConfig, ${autoModel}, AutoTokenizer

from llm_merging.merging.Merges import Merges`;

/**
 * The Python module of a merge for the LLM-Merging competition's starter kit, with one class. It merges by the recipe's
 * own coefficients with the operations of mergeTensor, in their order, so that its weights have the bits of an export.
 */
export function starterKitModule(source: StarterKitSource): string {
  const { className, method, recipe, version, weights, model } = source;
  const reading = readingText(model);
  const merged = recipe.method === "passthrough" ? [recipe.model] : source.experts.map(({ name }) => name);
  return `"""Merge method \`${method}\`: ${summaryOf(recipe)}.

evomerge ${version} found the merge. merge() reads one tensor of each model at a time, computes in float32 and rounds once, so
that its weights equal evomerge's own export to the last bit. Environment variables:

  HF_AUTH_TOKEN or HF_TOKEN   token of the Hugging Face Hub, for gated models
  MERGE_EXPORT_DIR            new folder to write the merged model to, as from_pretrained reads it
  KIT_SCORING=1               score and generate with the starter kit's own functions
"""

${importsWith(recipe, reading)}

# Repositories and commits.
MODELS = {
${modelRows(source, merged)}}

# What is merged, in the order of summation.
MERGED = [${merged.map(pythonString).join(", ")}]

${seedText(recipe)}${coefficientText(recipe, weights, merged)}# Name, group and dtype of each tensor, and the layers that have it.
TENSORS = [
${tensorTable(weights.map((weight) => ({ ...weight, group: groupIn(recipe, weight) })))}]

# Most of the base is stored in it.
MODEL_DTYPE = ${torchDtype[commonDtype(weights)]}


class ${className}(Merges):
${classMembers(model.maxLength, reading)}

${mergeTensorText(recipe)}${functions}`;
}

function summaryOf(recipe: WeightwiseRecipe): string {
  if (recipe.method === "passthrough") return "the weights of one model, unchanged";
  const { summary, source } = declarationOf(recipe.method);
  return `${summary} (${source})`;
}

/** The base, whose architecture and tokenizer the merge takes, and what is merged. */
function modelRows({ base, experts }: StarterKitSource, merged: readonly string[]): string {
  const models = [{ name: BASE, reference: base }, ...experts.filter(({ name }) => merged.includes(name))];
  return models
    .map(({ name, reference }) => [name, reference.name, reference.revision].map(pythonString))
    .map(([model, repository, commit]) => `    ${model}: (${repository}, ${commit}),\n`)
    .join("");
}

function mergeTensorText(recipe: WeightwiseRecipe): string {
  const head = `
def merge_tensor(name, group, layer, models):
    """${summaryOf(recipe)}"""
`;
  if (recipe.method === "passthrough")
    return `${head}    return models[${pythonString(recipe.model)}].read(name).clone()\n`;
  const declaration = declarationOf(recipe.method);
  const method = {
    formula: declaration.formula(optionsOf(declaration, recipe.options)),
    parameters: formulaParameters(declaration, recipe.options),
  };
  const leaves = (declaration.needs?.leaves ?? []).map(({ python }) => `\n${python}`).join("");
  return hasColumns(recipe)
    ? `${head}${formulaBody(method, "name, group, layer")}\n${coefficientsWithColumns(numberedPart(recipe))}${leaves}`
    : `${head}${formulaBody(method)}\n${coefficients}${leaves}`;
}

function seedText(recipe: WeightwiseRecipe): string {
  const seed = seedOf(recipe);
  return seed === undefined ? "" : `# Of what is dropped at random.\nSEED = ${seed}\n\n`;
}

/** That of a recipe whose method draws. */
function seedOf(recipe: WeightwiseRecipe): number | undefined {
  if (recipe.method === "passthrough" || !isRandom(declarationOf(recipe.method))) return undefined;
  return recipe.seed ?? 0;
}
