import type { NativePackage } from "../../device/tfjs/native-package.ts";
import { findBoundPackage } from "../../tensorflow/bound-package.ts";
import { linkTensorflow, unlinkTensorflow } from "../../tensorflow/link.ts";
import { ownCommand } from "../invocation.ts";
import { printSentence, tell } from "../output.ts";

/** `evomerge tensorflow link`: builds an installed package on the TensorFlow of a Python. */
export async function linkTensorflowCommand(name: NativePackage | undefined, python: string): Promise<void> {
  const bound = findBoundPackage(name);
  tell(`compiling the binding of ${bound.name} against the TensorFlow of ${python}`);
  const { version, usesGpu, tensorflow } = await linkTensorflow(bound, python);
  printSentence(
    `linked ${bound.name} to TensorFlow ${version} (${tensorflow}), which computes on ${usesGpu ? "a GPU" : "the CPU: it found no GPU"}`,
  );
  printSentence("undo with:", `${ownCommand()} tensorflow unlink${name === undefined ? "" : ` ${name}`}`);
}

/** `evomerge tensorflow unlink`: puts back what the package had. */
export async function unlinkTensorflowCommand(name: NativePackage | undefined): Promise<void> {
  const bound = findBoundPackage(name);
  const outcome = await unlinkTensorflow(bound);
  const now = { restored: "has its own TensorFlow again", removed: "has no native library, as before" }[outcome];
  printSentence(`unlinked ${bound.name}: it ${now}`);
}
