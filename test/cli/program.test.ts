import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { describe, expect, test } from "vitest";
import { buildProgram } from "../../src/cli/program.ts";

function help(path: string): string | undefined {
  let command: CommandUnknownOpts | undefined = buildProgram();
  for (const name of path.split(" ")) command = command?.commands.find((inner) => inner.name() === name);
  return command?.helpInformation();
}

describe("the help", () => {
  test("of the program lists its commands", () => {
    expect(buildProgram().helpInformation()).toMatchInlineSnapshot(`
      "Usage: evomerge [options] [command]

      Evolutionary search for the merge coefficients of language models

      Options:
        -V, --version  output the version number
        -h, --help     display help for command

      Commands:
        init           write an experiment from models and rows that are found in a
                       folder, or given
        run            launch an experiment
        resume         go on with an interrupted run, or with a finished one that is
                       given more budget
        worker         score for runs of an experiment, on this machine or others
        export         write the winner of a run, or its best so far, as a Hugging
                       Face folder
        report         make a run's page and tables anew, from its journal as it is
                       now
        list           list the runs of a folder: state, time, what was found
        status         say how a run stands and what comes next, also while it goes on
        rerank         rank a run's models under other weights of its tasks, from the
                       losses in its journal
        watch          show a run in the browser, as it goes on, until it is
                       interrupted
        compare        compare runs: their winners on guard rows that they share, and
                       what differs in their experiments
        merge          merge models by a recipe into a Hugging Face folder
        fetch          bring an experiment's models and rows from the Hub
        plan           say what a run will take, without reading a weight: time,
                       memory, disk, and what binds
        check          check an experiment against the rules of the LLM-Merging
                       competition
        evaluate       evaluate a run's winner and parents, or one model, with lm_eval
        score          score one model on a file of rows
        logprobs       print the log-probabilities of token ids, each given those
                       before it
        generate       print what a model adds to prompts, each token the most likely
                       one, as JSON lines
        submission     the competition's submission.csv
        tensorflow     what computes in @tensorflow/tfjs-node and -gpu
        doctor         say what this machine can do, and how fast
        completion     print a script by which a shell completes commands, options and
                       names
        help           display help for command
      "
    `);
  });

  test("of run", () => {
    expect(help("run")).toMatchInlineSnapshot(`
      "Usage: evomerge run [options] <experiment>

      launch an experiment

      Arguments:
        experiment              YAML file, or the name of one that ships, such as demo

      Options:
        --out <folder>          folder of the run (default: results/<name>)
        --budget <time>         wall-clock time for everything, such as 90s, 10m, 1h
        --evaluations <count>   candidates to score, in place of a time
        --seed <number>         seed of the search
        --from <run>            folder of an earlier run to begin from, in place of
                                the experiment's start
        --take <what>           what of it the search begins with (default: winner)
                                (choices: "winner", "distribution")
        --engine <name>         where to compute (choices: "auto", "ggml", "tfjs",
                                "tfjs-node", "tfjs-node-gpu")
        --devices <count>       GPUs of this machine to score on (default: all of the
                                first one's name)
        --redis <url>           score by workers that were told of the same Redis:
                                redis://host or rediss://host
        --mixed-engines         workers may compute with other engines than the first
                                one
        --parts <count>         deal the rows of each gradient into so many parts at
                                least, which devices and workers share
        --export                export the winner at the end
        --events <file>         append what happens there, as JSON lines
        --tensorboard <folder>  write losses there as they come, as TensorBoard reads
                                them
        --watch                 show the run in the browser while it goes on, at an
                                address that is told
        --json                  print the result as JSON
        -h, --help              display help for command
      "
    `);
  });

  test("of resume", () => {
    expect(help("resume")).toMatchInlineSnapshot(`
      "Usage: evomerge resume [options] <run>

      go on with an interrupted run, or with a finished one that is given more budget

      Arguments:
        run                     folder of the run

      Options:
        --budget <time>         wall-clock time for everything, such as 90s, 10m, 1h
        --evaluations <count>   candidates to score, in place of a time
        --devices <count>       GPUs of this machine to score on (default: all of the
                                first one's name)
        --redis <url>           score by workers that were told of the same Redis:
                                redis://host or rediss://host
        --mixed-engines         workers may compute with other engines than the first
                                one
        --parts <count>         deal the rows of each gradient into so many parts at
                                least, which devices and workers share
        --export                export the winner at the end
        --events <file>         append what happens there, as JSON lines
        --tensorboard <folder>  write losses there as they come, as TensorBoard reads
                                them
        --watch                 show the run in the browser while it goes on, at an
                                address that is told
        --base <model>          folder or Hub name of the base, if it was moved
        --expert <name=model>   likewise of an expert; may be repeated, as the next
                                two
        --rows <task=file>      file of a task's rows, if it was moved
        --guard <task=file>     file of its guard rows
        --json                  print the result as JSON
        -h, --help              display help for command
      "
    `);
  });

  test("of export", () => {
    expect(help("export")).toMatchInlineSnapshot(`
      "Usage: evomerge export [options] <run>

      write the winner of a run, or its best so far, as a Hugging Face folder

      Arguments:
        run                       folder of the run

      Options:
        --to <folder>             folder of the model (default: best in the folder of
                                  the run)
        --pick <member>           of the run's front in place of the winner: knee, a
                                  task (the best on it) or a place from 1
        --starter-kit <checkout>  write it as a class of the LLM-Merging competition's
                                  starter kit too
        --push <org/name>         upload the folder to the Hugging Face Hub
        --private                 make the repository private if the upload creates it
        --base <model>            folder or Hub name of the base, if it was moved
        --expert <name=model>     likewise of an expert; may be repeated, as the next
                                  two
        --rows <task=file>        file of a task's rows, if it was moved
        --guard <task=file>       file of its guard rows
        --json                    print the result as JSON
        -h, --help                display help for command
      "
    `);
  });

  test("of score", () => {
    expect(help("score")).toMatchInlineSnapshot(`
      "Usage: evomerge score [options] <model>

      score one model on a file of rows

      Arguments:
        model                  Hugging Face folder, or org/name@revision of the Hub

      Options:
        --base <model>         of an adapter: its base, if it is not where
                               adapter_config.json says
        --task <rows>          choice, text or MMLU rows: JSON lines, CSV or Parquet
        --format <name>        how MMLU rows are rendered, or the plugin/name that
                               reads other rows (choices: "mmlu", "mmlu_continuation")
        --no-description       leave out lm_eval's sentence about the subject of MMLU
                               rows
        --apply-chat-template  ask each row as a turn of a chat, as lm_eval's
                               --apply_chat_template does
        --limit <rows>         score the first rows only
        --samples <file>       write each row's log-likelihoods there, as lm_eval's
                               --log_samples does
        --plugin <file>        whose formats and engines may be named; may be repeated
        --engine <name>        where to compute (choices: "auto", "ggml", "tfjs",
                               "tfjs-node", "tfjs-node-gpu")
        --precision <name>     of matrix products (choices: "auto", "f32", "bf16")
        --json                 print the result as JSON
        -h, --help             display help for command
      "
    `);
  });

  test("of fetch", () => {
    expect(help("fetch")).toMatchInlineSnapshot(`
      "Usage: evomerge fetch [options] <experiment>

      bring an experiment's models and rows from the Hub

      Arguments:
        experiment  YAML file, or the name of one that ships, such as demo

      Options:
        --dry-run   say what would be fetched and what the disk has left; fetch no
                    weights
        --json      print the result as JSON
        -h, --help  display help for command
      "
    `);
  });

  test("of check", () => {
    expect(help("check")).toMatchInlineSnapshot(`
      "Usage: evomerge check [options] <experiment>

      check an experiment against the rules of the LLM-Merging competition

      Arguments:
        experiment  YAML file, or the name of one that ships, such as demo

      Options:
        --json      print the result as JSON
        -h, --help  display help for command
      "
    `);
  });

  test("of evaluate", () => {
    expect(help("evaluate")).toMatchInlineSnapshot(`
      "Usage: evomerge evaluate [options] <target> [arguments...]

      evaluate a run's winner and parents, or one model, with lm_eval

      Arguments:
        target                 folder of a run or of a model
        arguments              further arguments of lm_eval, after --

      Options:
        --task <names>         tasks of lm_eval (default: "mmlu")
        --batch-size <size>    sequences a batch, or auto (default: "8")
        --models <names...>    only these models of the run: winner, base, or experts
                               by name
        --python <path>        the Python that has lm_eval
        --base <model>         folder or Hub name of the base, if it was moved
        --expert <name=model>  likewise of an expert; may be repeated, as the next two
        --rows <task=file>     file of a task's rows, if it was moved
        --guard <task=file>    file of its guard rows
        --json                 print the result as JSON
        -h, --help             display help for command
      "
    `);
  });

  test("of logprobs", () => {
    expect(help("logprobs")).toMatchInlineSnapshot(`
      "Usage: evomerge logprobs [options] <model>

      print the log-probabilities of token ids, each given those before it

      Arguments:
        model               Hugging Face folder, which needs no tokenizer, or
                            org/name@revision of the Hub

      Options:
        --base <model>      of an adapter: its base, if it is not where
                            adapter_config.json says
        --ids <json>        token ids: a list such as '[1, 2, 3]', each but the first
                            given those before it; for an encoder-decoder
                            '{"encoder":[5,6,1],"decoder":[0,7,8]}', whose first
                            decoder id is what the decoder begins with
        --engine <name>     where to compute (choices: "auto", "ggml", "tfjs",
                            "tfjs-node", "tfjs-node-gpu")
        --precision <name>  of matrix products (choices: "auto", "f32", "bf16",
                            default: "f32")
        -h, --help          display help for command
      "
    `);
  });

  test("of submission write", () => {
    expect(help("submission write")).toMatchInlineSnapshot(`
      "Usage: evomerge submission write [options] <model>

      answer the questions of a CSV file with a model

      Arguments:
        model                     Hugging Face folder, or org/name@revision of the Hub

      Options:
        --rows <csv>              questions: id, input, answer_choices, eval_type
        --to <csv>                file to write: id, prediction, dummy_field
        --generated <csv>         a submission that has texts; the model generates
                                  those that it lacks
        --max-new-tokens <count>  the most tokens of a text (default: 64)
        --until <text...>         a text ends before the first of these, such as $'\\n'
        --engine <name>           where to compute (choices: "auto", "ggml", "tfjs",
                                  "tfjs-node", "tfjs-node-gpu")
        --precision <name>        of matrix products (choices: "auto", "f32", "bf16")
        -h, --help                display help for command
      "
    `);
  });

  test("of submission check", () => {
    expect(help("submission check")).toMatchInlineSnapshot(`
      "Usage: evomerge submission check [options] <csv>

      check a submission against its questions

      Arguments:
        csv           submission

      Options:
        --rows <csv>  questions: id, input, answer_choices, eval_type
        --json        print the result as JSON
        -h, --help    display help for command
      "
    `);
  });

  test("of doctor", () => {
    expect(help("doctor")).toMatchInlineSnapshot(`
      "Usage: evomerge doctor [options] [folder]

      say what this machine can do, and how fast

      Arguments:
        folder      of a model, whose disk is measured (default: ".")

      Options:
        --json      print the result as JSON
        -h, --help  display help for command
      "
    `);
  });
});
