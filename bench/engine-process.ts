/** One engine in a process of its own, since some engines exclude each other; it works when its parent asks. */
import { UserError } from "../src/errors.ts";
import type { EngineName } from "../src/device/engine-names.ts";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import { demoRows } from "./demo-rows.ts";
import { openGeneration } from "./generation.ts";
import { timed, type Timing } from "./interleave.ts";
import type { Measure, Opened } from "./measures.ts";
import { uploadProducts } from "./products.ts";

const CANDIDATES = 4;

async function serve(engine: EngineName): Promise<void> {
  const experiment = await loadExperiment("experiments/demo.yaml");
  const setting = { ...experiment, engine, precision: "f32" } as const;
  const dtype = setting.precision;
  const { workspace, work, score } = await openGeneration(setting, await demoRows(experiment, 0.125), CANDIDATES);
  const { device } = workspace;
  const own = await uploadProducts(device, work.products, { dtype, flop: 5e9 });
  const large = await uploadProducts(device, [{ rows: 1024, in: 1024, out: 1024 }], { dtype, flop: 5e9 });
  const runs: Readonly<Record<Measure, () => Promise<void>>> = {
    "products of the demo": own.multiply,
    "products [1024, 1024]": large.multiply,
    "scoring the demo": score,
  };
  process.on("message", (measure: Measure) => void timed(runs[measure]).then(send));
  send({
    name: device.name,
    flop: {
      "products of the demo": own.flop,
      "products [1024, 1024]": large.flop,
      "scoring the demo": CANDIDATES * work.flop,
    },
    tokens: CANDIDATES * work.tokens,
  });
}

function send(message: Opened | Timing): void {
  process.send?.(message);
}

try {
  await serve(process.argv[2] as EngineName);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  send({ missing: error.message });
  process.disconnect();
}
