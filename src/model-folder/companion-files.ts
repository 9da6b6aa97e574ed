/** What makes a folder of weights a model for transformers and lm_eval: configuration and tokenizer. */
export const COMPANION_FILES = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "tokenizer.model",
  "spiece.model",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "chat_template.json",
  "chat_template.jinja",
] as const;

const names: ReadonlySet<string> = new Set(COMPANION_FILES);

/** Whether a file goes wherever the weights go: one of those above, or terms of the licence in whichever spelling. */
export function isCompanion(name: string): boolean {
  // No control characters: the name becomes a line of the manifest.
  return names.has(name) || /^(LICENSE|NOTICE)[\p{L}\p{N} .,_+()-]*$/iu.test(name);
}

/** Whether a file is about tokens, or about texts that are made of them: it is the tokenizer's, whose ids it may name. */
export function isOfTokenizer(name: string): boolean {
  return names.has(name) && name !== "config.json";
}
