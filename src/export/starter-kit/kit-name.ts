/** What a merge method is called in the starter kit. */
export interface KitName {
  /** Name of the class and of its file, such as `LlamaChat`. */
  readonly className: string;
  /** What `-m` selects it by, such as `llama_chat`. */
  readonly method: string;
}

/** The names of an experiment as a Python class and as a method of the kit. */
export function kitName(experiment: string): KitName {
  const words = experiment.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  // Python has no names that begin with a digit, and three keywords that begin with a capital.
  if (!/^[A-Za-z]/.test(words.join("")) || /^(true|false|none)$/i.test(words.join(""))) words.unshift("merge");
  return {
    className: words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(""),
    method: words.join("_").toLowerCase(),
  };
}
