/**
 * Tokenises texts: `encode-lines.ts <texts.json> <folder ...>`, where texts.json is a list. Prints a list for each folder with
 * the ids of each text. Used by token-ids.py.
 * @module
 */
import { readFile } from "node:fs/promises";
import { TokenEncoder } from "../../src/model/tokenizer/token-encoder.ts";
import { readTokenizerFiles } from "../../src/model/tokenizer/tokenizer-file.ts";

const [path = "", ...folders] = process.argv.slice(2);
const texts = JSON.parse(await readFile(path, "utf8")) as string[];
for (const folder of folders) {
  const encoder = new TokenEncoder(await readTokenizerFiles(folder));
  const ids = texts.map((text) => [...encoder.encode(text)]);
  process.stdout.write(`${JSON.stringify(ids)}\n`);
}
