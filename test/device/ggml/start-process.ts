/** Starts ggml, twice, with the packages that a module at the first argument would import; prints what came of it. */
import koffi from "koffi";
import { findLibraries } from "../../../src/device/ggml/find-libraries.ts";
import { takeMessages } from "../../../src/device/ggml/messages.ts";
import { type StartedGgml, startGgml } from "../../../src/device/ggml/start.ts";

const [from = "", then] = process.argv.slice(2);
const first = await attempt();
const second = await attempt();
const { GGML_CUDA_DISABLE_GRAPHS: withoutGraphs } = process.env;
process.stdout.write(
  JSON.stringify({ first: describe(first), second: describe(second), same: first === second, withoutGraphs }),
);
if (then === "abort" && "ggml" in first) {
  first.ggml.loadBackend("/nowhere/libggml-none.so");
  const { base } = await findLibraries(from);
  const abort = koffi.load(base).func("void ggml_abort(const char *file, int line, const char *format)");
  abort("made-up.c", 7, "on purpose");
}
takeMessages();

async function attempt(): Promise<StartedGgml | Error> {
  try {
    return await startGgml(from);
  } catch (error) {
    return error as Error;
  }
}

function describe(started: StartedGgml | Error): unknown {
  if (started instanceof Error) return { error: started.message };
  const { ggml, cpu, gpus, attempts } = started;
  return { cpu: ggml.deviceName(cpu), gpu: gpus.length > 0, attempts: attempts.map(({ problem }) => problem) };
}
