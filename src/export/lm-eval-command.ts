/** The command that evaluates an exported model; a path with other than plain characters is quoted for the shell. */
export function lmEvalCommand(folder: string): string {
  const argument = `pretrained=${folder}`;
  const quoted = /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
  return `lm_eval --model hf --model_args ${quoted} --tasks mmlu --batch_size 8`;
}
