import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseManifest } from "../../src/model-folder/manifest.ts";
import type { Experiment } from "../../src/experiment/experiment.ts";
import type { ModelScores } from "../../src/experiment/score-model.ts";
import type { ExportResult } from "../../src/export/export-run.ts";
import type { RuleReport } from "../../src/rules/check-experiment.ts";
import type { Outcome } from "../../src/run/carry-on.ts";
import { LoopbackHub } from "../hub/loopback-hub.ts";
import { isForHeader, type LoggedRequest } from "../hub/loopback/fault.ts";
import { publishTinyExperiment } from "../hub/published-experiment.ts";
import { recorded } from "../tiny-experiment.ts";
import { type Ended, evomerge, type Surroundings } from "./evomerge.ts";

const PARENTS = ["tiny/base", "tiny/nature", "tiny/craft"];
const CARD = "---\nlicense: apache-2.0\n---\n";

let folder: string;
let server: LoopbackHub;
/** The winner of the experiment, exported and uploaded. */
let pushed: ExportResult;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "evomerge-"));
  server = await LoopbackHub.start();
  await publishTinyExperiment(server, folder);
  for (const name of PARENTS) {
    server.repository("model", name)!.commit({ files: { "README.md": CARD }, date: "2024-03-02T00:00:00Z" });
  }
  server.addToken("hf_me", { name: "me" });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a command in the folder with a cache in it and the server as the Hub. */
function command(args: readonly string[], { env, ...surroundings }: Surroundings = {}): Promise<Ended> {
  const hub = { HOME: folder, HF_ENDPOINT: server.url, HF_HUB_CACHE: join(folder, "cache"), HF_TOKEN: "" };
  return evomerge(folder, args, { ...surroundings, env: { ...hub, ...env } });
}

/** Sends the command a signal as soon as something has happened. */
function when(happened: () => boolean, signal: NodeJS.Signals): (child: ChildProcess) => void {
  return (child) => {
    const timer = setInterval(() => {
      if (!happened()) return;
      clearInterval(timer);
      child.kill(signal);
    }, 20);
    child.once("exit", () => clearInterval(timer));
  };
}

/** Writes the experiment with other keys, and returns its file. */
function variant(name: string, keys: Readonly<Record<string, unknown>>): string {
  const fields = JSON.parse(readFileSync(join(folder, "named.yaml"), "utf8")) as object;
  writeFileSync(join(folder, name), JSON.stringify({ ...fields, ...keys }));
  return name;
}

/** A text file of the exported model. */
function best(file: string): string {
  return readFileSync(join(folder, "results/named/best", file), "utf8");
}

const isStorage = (request: LoggedRequest): boolean => request.path.startsWith("/lfs/") && !isForHeader(request);
const isWeights = (request: LoggedRequest): boolean =>
  (request.path.endsWith(".safetensors") && !isForHeader(request)) || isStorage(request);

/** What the server was asked for while something happened. */
async function requestsDuring(action: () => Promise<unknown>): Promise<LoggedRequest[]> {
  const before = server.requests.length;
  await action();
  return server.requests.slice(before);
}

describe("evomerge fetch", () => {
  let base: { readonly path: string; readonly sha256: string };
  beforeAll(() => {
    const content = readFileSync(join(folder, "base", "model.safetensors"));
    const sha256 = createHash("sha256").update(content).digest("hex");
    const path = join(folder, "cache/models--tiny--base/blobs", sha256);
    base = { path, sha256 };
  });

  test("--dry-run says what it would fetch and what the disk has left, and fetches no weights or rows", async () => {
    let ended!: Ended;
    const requests = await requestsDuring(async () => {
      ended = await command(["fetch", "named.yaml", "--dry-run"]);
    });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(
      ended.stdout
        .replaceAll(folder, "~")
        .replaceAll(/[0-9a-f]{12}/g, "#")
        .replaceAll(/\d+\.\d [kMGT]B/g, "# B")
        .replaceAll(/-{3,}/g, "---")
        .replaceAll(/ +/g, " "),
    ).toMatchInlineSnapshot(`
      "repository commit files size to fetch
      --- --- --- --- ---
      tiny/base # 5 # B # B
      tiny/nature # 5 # B # B
      tiny/craft # 5 # B # B
      tiny/rows # 2 # B # B

      # B to fetch; of # B free at ~/cache that leaves # B free
      "
    `);
    expect(requests.filter((request) => isWeights(request) || request.path.endsWith(".parquet"))).toEqual([]);
  });

  test("goes on at the byte where kill -9 ended it, and tells of it where there is no terminal", async () => {
    const isOfBase = (request: LoggedRequest): boolean => isStorage(request) && request.path.endsWith(base.sha256);
    server.fail({ match: isOfBase, do: { stallAfterBytes: 1000, stallMs: 60_000 } });
    const partial = `${base.path}.evomerge.incomplete`;
    const isHeldUp = (): boolean => statSync(partial, { throwIfNoEntry: false })?.size === 1000;
    const killed = await command(["fetch", "named.yaml"], { watch: when(isHeldUp, "SIGKILL") });
    expect(killed.code).toBeNull();
    const requests = await requestsDuring(async () => {
      const { code, stdout, stderr } = await command(["fetch", "named.yaml"]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^tiny\/base +\w{12} +5 /m);
      expect(stderr).toMatch(/^100 % {2}fetching .*\n$/m);
    });
    expect(requests.find(isStorage)).toMatchObject({ path: `/lfs/${base.sha256}`, range: "bytes=1000-" });
    expect(createHash("sha256").update(readFileSync(base.path)).digest("hex")).toBe(base.sha256);
    expect(await readdir(join(base.path, ".."))).not.toContainEqual(expect.stringContaining("incomplete"));
  });

  test("has nothing to tell or to fetch when all of it is here", async () => {
    const requests = await requestsDuring(async () => {
      const { code, stdout, stderr } = await command(["fetch", "named.yaml"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/^0 B to fetch; of /m);
    });
    expect(requests.filter(isWeights)).toEqual([]);
  });

  test.each(["fetch", "run"])("%s says how to go on when it is interrupted", async (verb) => {
    const cache = await mkdtemp(join(folder, "cache-"));
    server.fail({ match: isStorage, do: { stallAfterBytes: 1000, stallMs: 60_000 } });
    const before = server.requests.filter(isStorage).length;
    const isAsked = (): boolean => server.requests.filter(isStorage).length > before;
    const ended = await command([verb, "named.yaml"], {
      env: { HF_HUB_CACHE: cache },
      watch: when(isAsked, "SIGINT"),
    });
    expect(ended.code).toBe(130);
    expect(ended.stderr).toBe("interrupted while fetching; the same command goes on from there\n");
  });
});

describe("an experiment of names", () => {
  let ran: Ended;
  let pushing: Ended;
  beforeAll(async () => {
    ran = await command(["run", "named.yaml", "--export"]);
    pushing = await command(["export", "results/named", "--push", "me/merged", "--json"], {
      env: { HF_TOKEN: "hf_me" },
    });
    pushed = JSON.parse(pushing.stdout) as ExportResult;
  });

  test("runs from what was fetched, and says nothing of it", () => {
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^exported evolved merge to /m);
    expect(ran.stderr).toMatch(/^run results\/named\n/);
    const experiment = recorded(join(folder, "results/named"), "start")[0]!.experiment as Experiment;
    expect([experiment.base, ...experiment.experts.map(({ path }) => path)]).toEqual(
      PARENTS.map((name) => `${name}@${server.repository("model", name)!.head.id}`),
    );
  });

  test("is pushed with the digests of SHA256SUMS, under a card that names parents and licence", async () => {
    expect(pushing.code).toBe(0);
    expect(pushing.stderr).toMatch(/^100 % {2}pushing .*\n$/);
    const { head } = server.repository("model", "me/merged")!;
    expect(pushed.pushed).toEqual({ url: `${server.url}/me/merged`, commit: head.id });
    const listed = parseManifest(best("SHA256SUMS"))!;
    // The Hub puts .gitattributes into every repository.
    const uploaded = [...head.files.keys()].filter((path) => path !== ".gitattributes");
    expect(uploaded.toSorted()).toEqual([...listed.keys(), "SHA256SUMS"].toSorted());
    for (const [path, sha256] of listed) {
      const found = createHash("sha256");
      const { content } = head.files.get(path)!;
      for await (const chunk of content.read(0, content.bytes)) found.update(chunk);
      expect(found.digest("hex"), path).toBe(sha256);
    }
    const card = /^---\n(?<yaml>.*?)\n---\n/s.exec(best("README.md"))!.groups!["yaml"]!;
    expect(parse(card)).toMatchObject({ base_model: PARENTS, base_model_relation: "merge", license: "apache-2.0" });
  });

  test("is scored by the pushed name as it is in its folder", async () => {
    const rows = ["--task", "rows/quiz.guard.jsonl", "--json"];
    const [byName, inFolder] = await Promise.all([
      command(["score", "me/merged", ...rows]),
      command(["score", "results/named/best", ...rows]),
    ]);
    // Its small files, and then its weights.
    expect(byName).toMatchObject({ code: 0, stderr: expect.stringMatching(/^(100 % {2}fetching .*\n){2}$/) });
    const scored: ModelScores = JSON.parse(byName.stdout);
    expect(scored.scores).toHaveLength(8);
    expect(scored).toEqual(JSON.parse(inFolder.stdout));
  });

  test("is an expert of the next experiment, with the scores that it won with", async () => {
    const file = variant("next.yaml", { experts: ["tiny/nature", "me/merged"], budget: { evaluations: 5 } });
    const { code, stdout } = await command(["run", file, "--json"]);
    expect(code).toBe(0);
    const { experiment, verdict }: Outcome = JSON.parse(stdout);
    expect(experiment.experts[1]).toEqual({ name: "merged", path: `me/merged@${pushed.pushed!.commit}` });
    const again = verdict!.models.find(({ name }) => name === "merged")!;
    const won = pushed.verdict!.models.find(({ kind }) => kind === "winner")!;
    expect({ scores: again.scores, intervals: again.intervals }).toEqual({
      scores: won.scores,
      intervals: won.intervals,
    });
  });
});

describe("evomerge check", () => {
  test("ends with 0 where no rule is broken, and downloads no weights", async () => {
    const requests = await requestsDuring(async () => {
      const { code, stdout, stderr } = await command(["check", "named.yaml"], {
        env: { HF_HUB_CACHE: join(folder, "checked") },
      });
      expect(code).toBe(0);
      for (const name of PARENTS) expect(stderr).toContain(`note: looking at ${name}\n`);
      expect(stdout).toMatch(/^ {2}(pass|warn) +tiny\/craft .*2024-03-01T00:00:00/m);
      expect(stdout).toMatch(/^named, checked on \d{4}-\d\d-\d\d: 0 fail, /m);
    });
    // Rows are in storage, too.
    expect(requests.filter((request) => isWeights(request) && !isStorage(request))).toEqual([]);
  });

  test("ends with 1 and names the rules that are broken", async () => {
    server.addModel("tiny/late", { folder: join(folder, "nature"), date: "2024-09-01T00:00:00Z" });
    const { code, stdout, stderr } = await command([
      "check",
      variant("late.yaml", { experts: ["tiny/late", "tiny/gone"] }),
      "--json",
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/\nevomerge: late.yaml breaks these rules: public, date\n$/);
    const { findings }: RuleReport = JSON.parse(stdout);
    expect(findings.filter(({ verdict }) => verdict === "fail").map(({ rule, subject }) => [rule, subject])).toEqual([
      ["public", "tiny/gone"],
      ["date", "tiny/late"],
    ]);
  });
});

describe("a model that cannot be had", () => {
  /** A gate lets everyone see which files there are. */
  const PLANNED = /^tiny\/gated +\w{12} +2 /m;
  beforeAll(() => {
    const files = { "config.json": "{}", "model.safetensors": new Uint8Array(64) };
    server.addModel("tiny/gated", { files, gated: "manual" });
    server.addModel("tiny/private", { files, private: true });
  });

  test.each([
    ["gated", "", "model tiny/gated is gated: accept its conditions at URL/tiny/gated and set HF_TOKEN to a", PLANNED],
    ["private", "", "URL/tiny/private: no such model, or it is private; check the spelling of tiny/private, or", /^$/],
    [
      "missing",
      "hf_me",
      "URL/tiny/missing: no such model, or it is private; check the spelling of tiny/missing, or",
      /^$/,
    ],
  ])("ends fetch with 1 and one sentence when it is %s", { concurrent: true }, async (name, token, text, told) => {
    const file = variant(`${name}.yaml`, { experts: [`tiny/${name}`] });
    const { code, stdout, stderr } = await command(["fetch", file], { env: { HF_TOKEN: token } });
    expect(code).toBe(1);
    const [line = "", ...others] = stderr.replaceAll(server.url, "URL").trimEnd().split("\n");
    expect(others).toEqual([]);
    expect(line).toContain(`evomerge: ${text}`);
    expect(stdout).toMatch(told);
  });
});

describe("without a network", () => {
  test("an experiment that was fetched runs as before", async () => {
    await server[Symbol.asyncDispose]();
    const { code, stdout, stderr } = await command(["run", "named.yaml", "--out", "offline", "--json"], {
      env: { HF_HUB_OFFLINE: "1" },
    });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const { winner }: Outcome = JSON.parse(stdout);
    expect(winner).toEqual(pushed.winner);
  });

  test("an experiment that was not fetched is refused in one sentence", async () => {
    const { code, stderr } = await command(["run", "late.yaml", "--out", "none"], { env: { HF_HUB_OFFLINE: "1" } });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^evomerge: tiny\/gone@main: .* is not in .*, and HF_HUB_OFFLINE is set; unset it, or .*\n$/,
    );
  });
});
