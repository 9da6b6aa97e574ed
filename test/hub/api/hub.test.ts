import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openHub } from "../../../src/hub/api/hub.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

describe("openHub", () => {
  test("asks huggingface.co without a token unless told otherwise", async () => {
    const home = await temporaryFolder();
    const hub = await openHub({ HOME: home });
    expect(hub).toMatchObject({ endpoint: "https://huggingface.co", offline: false });
    expect(hub).not.toHaveProperty("token");
  });

  test.each([
    [{}, "/home/.cache/huggingface/hub"],
    [{ XDG_CACHE_HOME: "/xdg" }, "/xdg/huggingface/hub"],
    [{ XDG_CACHE_HOME: "/xdg", HF_HOME: "/hf" }, "/hf/hub"],
    [{ HF_HOME: "~/hf" }, "/home/hf/hub"],
    [{ HF_HOME: "/hf", HUGGINGFACE_HUB_CACHE: "/old" }, "/old"],
    [{ HF_HOME: "/hf", HUGGINGFACE_HUB_CACHE: "/old", HF_HUB_CACHE: "/new" }, "/new"],
  ])("finds the cache that Python would find: %j", async (environment, cache) => {
    expect((await openHub({ HOME: "/home", ...environment })).cache).toBe(cache);
  });

  test.each([
    ["1", true],
    ["ON", true],
    ["yes", true],
    ["True", true],
    ["0", false],
    ["", false],
    ["no", false],
  ])("takes HF_HUB_OFFLINE=%s as Python does", async (value, offline) => {
    expect((await openHub({ HOME: "/home", HF_HUB_OFFLINE: value })).offline).toBe(offline);
  });

  test("takes the token from the environment, then from a file, without the space around it", async () => {
    const home = await temporaryFolder();
    const tokenOf = async (environment: NodeJS.ProcessEnv): Promise<string | undefined> =>
      (await openHub({ HOME: home, ...environment })).token;
    await mkdir(join(home, ".cache/huggingface"), { recursive: true });
    await writeFile(join(home, ".cache/huggingface/token"), "hf_default\n");
    await writeFile(join(home, "token"), "  hf_home\n");
    expect(await tokenOf({})).toBe("hf_default");
    expect(await tokenOf({ HF_HOME: home })).toBe("hf_home");
    expect(await tokenOf({ HF_TOKEN_PATH: join(home, "token") })).toBe("hf_home");
    expect(await tokenOf({ HF_HOME: home, HUGGING_FACE_HUB_TOKEN: "hf_old" })).toBe("hf_old");
    expect(await tokenOf({ HUGGING_FACE_HUB_TOKEN: "hf_old", HF_TOKEN: " hf_new " })).toBe("hf_new");
    expect(await tokenOf({ HF_TOKEN: "", HF_HOME: join(home, "none") })).toBeUndefined();
  });

  test("refuses what is no token and what is no endpoint without showing them", async () => {
    await expect(openHub({ HOME: "/home", HF_TOKEN: "hf_secret and more" })).rejects.toThrow(
      /^HF_TOKEN: expected a token/,
    );
    await expect(openHub({ HOME: "/home", HF_TOKEN: "hf_secret\nmore" })).rejects.not.toThrow(/secret/);
    await expect(openHub({ HOME: "/home", HF_ENDPOINT: "https://me:secret@hub.example" })).rejects.not.toThrow(
      /secret/,
    );
    await expect(openHub({ HOME: "/home", HF_ENDPOINT: "hub.example" })).rejects.toThrow(
      /^HF_ENDPOINT: expected the address of a Hub/,
    );
    expect((await openHub({ HOME: "/home", HF_ENDPOINT: "https://hub.example/mirror/" })).endpoint).toBe(
      "https://hub.example/mirror",
    );
  });
});
