import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { openDataset } from "../../../src/hub/transfer/dataset.ts";
import { fetchFiles } from "../../../src/hub/transfer/fetch-files.ts";
import { type Hub, openHub } from "../../../src/hub/api/hub.ts";
import { readRows } from "../../../src/tasks/rows.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { LoopbackHub } from "../loopback-hub.ts";

const name = "org/rows";
const parquet = await readFile(new URL("../../fixtures/tasks/parquet/zstd.parquet", import.meta.url));
const lines = await readFile(new URL("../../fixtures/tasks/parquet/rows.jsonl", import.meta.url));
const expected = await readRows(new URL("../../fixtures/tasks/parquet/rows.jsonl", import.meta.url).pathname);

async function open(server: LoopbackHub, more: Record<string, string> = {}): Promise<Hub> {
  const cache = await temporaryFolder();
  return openHub({ HF_ENDPOINT: server.url, HF_HUB_CACHE: cache, HOME: cache, ...more }, { backoffMs: 1 });
}

describe("openDataset", () => {
  test("finds a split in the Hub's conversion first; fetched, it gives the rows", async () => {
    await using server = await LoopbackHub.start();
    const dataset = server.addDataset(name, { files: { "cosmos_qa.jsonl": lines, "xsum.jsonl": lines } });
    const converted = dataset.commit({
      branch: "refs/convert/parquet",
      files: { "cosmos_qa/train/0000.parquet": parquet, "cosmos_qa.jsonl": null, "xsum.jsonl": null },
    });
    const hub = await open(server);
    const found = await openDataset(hub, { dataset: `${name}@main`, config: "cosmosqa" });
    expect(found).toMatchObject({ config: "cosmos_qa", split: "train" });
    expect(found.pinned).toEqual({ dataset: `${name}@${converted}`, config: "cosmos_qa", split: "train" });
    expect(server.requests.some(({ path }) => path.includes("0000.parquet"))).toBe(false);

    const folder = await fetchFiles(hub, found.repository, found.files);
    expect(await readRows(found.files.map(({ path }) => join(folder, path)))).toEqual(expected);
  });

  test("finds the competition's rows in either place where the Hub has them", async () => {
    await using server = await LoopbackHub.start();
    const configs = ["alpaca_cleaned", "cosmos_qa", "xsum"];
    const card = configs.map(
      (config) => `- config_name: ${config}\n  data_files:\n  - split: train\n    path: ${config}/train-*\n`,
    );
    const paths = (file: string): Record<string, Uint8Array> =>
      Object.fromEntries(configs.map((config) => [`${config}/${file}`, parquet]));
    const dataset = server.addDataset("AlgorithmicResearchGroup/llm_merging", {
      files: { "README.md": `---\nconfigs:\n${card.join("")}---\n`, ...paths("train-00000-of-00001.parquet") },
    });
    dataset.commit({ branch: "refs/convert/parquet", files: paths("train/0000.parquet") });
    const hub = await open(server);
    for (const [revision, file] of [
      ["main", "train/0000.parquet"],
      [dataset.head.id, "train-00000-of-00001.parquet"],
    ] as const) {
      for (const config of ["cosmosqa", "xsum"]) {
        const found = await openDataset(hub, { dataset: `${dataset.name}@${revision}`, config });
        expect(found).toMatchObject({ config: config.replace("sqa", "s_qa"), split: "train" });
        expect(found.files.map(({ path }) => path)).toEqual([`${found.config}/${file}`]);
      }
    }
  });

  test("falls back to main for what the conversion lacks, and finds either commit again when it is pinned", async () => {
    await using server = await LoopbackHub.start();
    const dataset = server.addDataset(name, { files: { "cosmos_qa.jsonl": lines, "xsum.jsonl": lines } });
    dataset.commit({
      branch: "refs/convert/parquet",
      files: { "xsum/train/0000.parquet": parquet, "cosmos_qa.jsonl": null, "xsum.jsonl": null },
    });
    const hub = await open(server);
    const cosmos = await openDataset(hub, { dataset: name, config: "cosmos_qa" });
    const xsum = await openDataset(hub, { dataset: name, config: "xsum" });
    expect([cosmos, xsum].map(({ files }) => files.map(({ path }) => path))).toEqual([
      ["cosmos_qa.jsonl"],
      ["xsum/train/0000.parquet"],
    ]);

    dataset.commit({ files: { "cosmos_qa.jsonl": null, "new.jsonl": lines } });
    dataset.commit({
      branch: "refs/convert/parquet",
      files: { "xsum/train/0000.parquet": null, "new/train/0000.parquet": parquet },
    });
    for (const { pinned, files } of [cosmos, xsum]) {
      const again = await openDataset(await open(server), pinned);
      expect(again).toMatchObject({ pinned, files: files.map(({ path }) => ({ path })) });
    }
    await expect(openDataset(await open(server), { dataset: name, config: "cosmos_qa" })).rejects.toThrow(
      new UserError(`the dataset ${name}: expected a configuration 'cosmos_qa', found 'new'`),
    );
  });

  test("believes the card of the dataset before the paths", async () => {
    await using server = await LoopbackHub.start();
    const card = "---\nconfigs:\n- config_name: cosmos_qa\n  data_files: [{ split: dev, path: 'raw/*.jsonl' }]\n---\n";
    server.addDataset(name, {
      files: { "README.md": card, "raw/b.jsonl": lines, "raw/a.jsonl": lines, "other.jsonl": lines },
    });
    const hub = await open(server);
    const found = await openDataset(hub, { dataset: name, config: "cosmos_qa", split: "validation" });
    expect(found.split).toBe("dev");
    expect(found.files.map(({ path }) => path)).toEqual(["raw/a.jsonl", "raw/b.jsonl"]);
    await expect(openDataset(hub, { dataset: name, config: "raw" })).rejects.toThrow("found 'cosmos_qa'");
  });

  test("looks in no other place when a revision is named", async () => {
    await using server = await LoopbackHub.start();
    const dataset = server.addDataset(name, { files: { "xsum.jsonl": lines } });
    dataset.commit({ branch: "refs/convert/parquet", files: { "xsum/train/0000.parquet": parquet } });
    dataset.commit({ branch: "old", files: { "xsum.jsonl": null, "xsum_2023.jsonl": lines } });
    await expect(openDataset(await open(server), { dataset: `${name}@old`, config: "xsum" })).rejects.toThrow(
      `the dataset ${name}@old: expected a configuration 'xsum', found 'xsum_2023'`,
    );
  });

  test("opens without a network what was fetched before", async () => {
    await using server = await LoopbackHub.start();
    server.addDataset(name, { files: { "README.md": "# Rows\n", "xsum.jsonl": lines } });
    const hub = await open(server);
    const found = await openDataset(hub, { dataset: name, config: "xsum" });
    await fetchFiles(hub, found.repository, found.files);
    const offline = await open(server, { HF_HUB_CACHE: hub.cache, HF_HUB_OFFLINE: "1" });
    const before = server.requests.length;
    for (const source of [found.pinned, { dataset: name, config: "xsum" }]) {
      expect((await openDataset(offline, source)).pinned).toEqual(found.pinned);
    }
    expect(server.requests).toHaveLength(before);
  });

  test("refuses a dataset that is not there, one without rows and one of gigabytes", async () => {
    await using server = await LoopbackHub.start();
    server.addDataset(name, { files: { "load.py": "", "README.md": "# Rows\n" } });
    const content = { content: "", bytes: 2 ** 31 };
    server.addDataset("org/web", { files: { "train.jsonl": content } });
    const hub = await open(server);
    await expect(openDataset(hub, { dataset: "org/none", config: "x" })).rejects.toThrow(/org\/none/);
    await expect(openDataset(hub, { dataset: name, config: "x" })).rejects.toThrow(
      `the dataset ${name}: expected files of rows (.parquet, .jsonl, .json or .csv), found none`,
    );
    await expect(openDataset(hub, { dataset: "org/web", config: "default" })).rejects.toThrow(
      /the split train of default: expected at most 1 GiB of rows to score, found 2147483648 bytes/,
    );
  });

  test("stops when told to", async () => {
    await using server = await LoopbackHub.start();
    server.addDataset(name, { files: { "xsum.jsonl": lines } });
    const signal = AbortSignal.abort();
    await expect(openDataset(await open(server), { dataset: name, config: "xsum" }, { signal })).rejects.toBe(
      signal.reason,
    );
    expect(server.requests).toEqual([]);
  });

  test("does not take other rows because the Hub was busy for a moment", async () => {
    await using server = await LoopbackHub.start();
    const rows = server.addDataset("org/rows", { files: { "quiz/train.jsonl": "{}" } });
    rows.commit({ branch: "refs/convert/parquet", files: { "quiz/train/0000.parquet": "rows" } });
    server.fail({ match: ({ path }) => path.includes("convert"), times: 6, do: { status: 503 } });
    const hub = await open(server);
    const source = { dataset: "org/rows@main", config: "quiz" };
    await expect(openDataset(hub, source)).rejects.toThrow(/answered 503 after 6 tries; try again later$/);
    expect((await openDataset(hub, source)).files[0]?.path).toBe("quiz/train/0000.parquet");
  });
});
