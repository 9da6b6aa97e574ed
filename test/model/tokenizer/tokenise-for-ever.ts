/** Tokenises a text with the tokenizer of a folder, says so, and waits. */
import { argv, stdout } from "node:process";
import { Tokenizer } from "../../../src/model/tokenizer/tokenizer.ts";

const [, , folder = ".", context = ""] = argv;
const tokenizer = await Tokenizer.load(folder);
const tokenised = tokenizer.encode([{ context, continuations: [" b"] }]);
stdout.write("begun\n");
await tokenised;
