import { execFileSync } from "node:child_process";
import { onTestFinished } from "vitest";

/** Mounts on a folder, until the test ends, an empty file system or what the arguments tell. */
export function mountOn(folder: string, skip: (reason: string) => void, what = ["-t", "tmpfs", "tmpfs"]): void {
  try {
    execFileSync("mount", [...what, folder], { stdio: "ignore" });
  } catch {
    skip("needs the right to mount");
  }
  onTestFinished(() => void execFileSync("umount", ["--lazy", folder]));
}
