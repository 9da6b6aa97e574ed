import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, onTestFinished } from "vitest";

/** Debian's name, and that of Ubuntu and others. */
const PROGRAMS = ["chromium", "chromium-browser"] as const;

const program = PROGRAMS.find((name) => spawnSync(name, ["--version"]).status === 0);

/** Whether this machine has a Chromium to look at pages with. */
export const hasChromium: boolean = program !== undefined;

let opened: Promise<Browser> | undefined;

/** A page as Chromium shows it, and what it complained of or asked for meanwhile. */
export interface ShownPage {
  readonly page: Page;
  readonly complaints: readonly string[];
  readonly requests: readonly string[];
}

/** Shows a file until the test ends; the browser is that of the test's file. */
export async function showPage(path: string, options: BrowserContextOptions = {}): Promise<ShownPage> {
  return showAddress(pathToFileURL(path).href, options);
}

/** Likewise what a server has. */
export async function showAddress(address: string, options: BrowserContextOptions = {}): Promise<ShownPage> {
  const browser = await (opened ??= launch());
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const [complaints, requests]: [string[], string[]] = [[], []];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => {
    complaints.push(dialog.message());
    void dialog.dismiss();
  });
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(address);
  return { page, complaints, requests };
}

/** Without the sandbox, which root has not: pages here are ours. */
async function launch(): Promise<Browser> {
  afterAll(async () => (await opened)?.close());
  return chromium.launch({ executablePath: pathOf(program ?? ""), args: ["--no-sandbox"] });
}

function pathOf(name: string): string {
  return spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim();
}
