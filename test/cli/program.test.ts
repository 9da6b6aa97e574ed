import { describe, expect, test } from "vitest";
import { buildProgram } from "../../src/cli/program.ts";

function help(name: string): string | undefined {
  return buildProgram()
    .commands.find((command) => command.name() === name)
    ?.helpInformation();
}

describe("the help", () => {
  test("of the program lists its commands", () => {
    expect(buildProgram().helpInformation()).toMatchInlineSnapshot(`
      "Usage: evomerge [options] [command]

      Evolutionary search for the merge coefficients of language models

      Options:
        -V, --version               output the version number
        -h, --help                  display help for command

      Commands:
        run [options] <experiment>  launch an experiment
        resume [options] <run>      go on with an interrupted run
        export [options] <run>      write the winner of a run, or its best so far, as
                                    a Hugging Face folder
        score [options] <model>     score one model on a file of rows
        doctor [options]            say what this machine can do
        help [command]              display help for command
      "
    `);
  });

  test("of run", () => {
    expect(help("run")).toMatchInlineSnapshot(`
      "Usage: evomerge run [options] <experiment>

      launch an experiment

      Arguments:
        experiment             YAML file

      Options:
        --out <folder>         folder of the run (default: results/<name>)
        --budget <time>        wall-clock time for everything, such as 90s, 10m, 1h
        --evaluations <count>  candidates to score, in place of a time
        --seed <number>        seed of the search
        --engine <name>        where to compute (choices: "auto", "ggml", "tfjs",
                               "tfjs-node", "tfjs-node-gpu")
        --export               export the winner at the end
        --json                 print the result as JSON
        -h, --help             display help for command
      "
    `);
  });

  test("of resume", () => {
    expect(help("resume")).toMatchInlineSnapshot(`
      "Usage: evomerge resume [options] <run>

      go on with an interrupted run

      Arguments:
        run                    folder of the run

      Options:
        --budget <time>        wall-clock time for everything, such as 90s, 10m, 1h
        --evaluations <count>  candidates to score, in place of a time
        --export               export the winner at the end
        --json                 print the result as JSON
        -h, --help             display help for command
      "
    `);
  });

  test("of export", () => {
    expect(help("export")).toMatchInlineSnapshot(`
      "Usage: evomerge export [options] <run>

      write the winner of a run, or its best so far, as a Hugging Face folder

      Arguments:
        run            folder of the run

      Options:
        --to <folder>  folder of the model (default: best in the folder of the run)
        --json         print the result as JSON
        -h, --help     display help for command
      "
    `);
  });

  test("of score", () => {
    expect(help("score")).toMatchInlineSnapshot(`
      "Usage: evomerge score [options] <model>

      score one model on a file of rows

      Arguments:
        model               Hugging Face folder

      Options:
        --task <rows>       JSON lines: choice, text or MMLU rows
        --format <name>     how MMLU rows are rendered (choices: "mmlu",
                            "mmlu_continuation")
        --no-description    leave out lm_eval's sentence about the subject of MMLU
                            rows
        --limit <rows>      score the first rows only
        --engine <name>     where to compute (choices: "auto", "ggml", "tfjs",
                            "tfjs-node", "tfjs-node-gpu")
        --precision <name>  of matrix products (choices: "auto", "f32", "bf16")
        --json              print the result as JSON
        -h, --help          display help for command
      "
    `);
  });

  test("of doctor", () => {
    expect(help("doctor")).toMatchInlineSnapshot(`
      "Usage: evomerge doctor [options]

      say what this machine can do

      Options:
        --json      print the result as JSON
        -h, --help  display help for command
      "
    `);
  });
});
