/** Writes `docs/api.d.ts` anew: `npx tsx test/source/write-api-report.ts`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { apiReport, apiReportText } from "./api-report.ts";

writeFileSync(join(import.meta.dirname, "../../docs/api.d.ts"), apiReportText(apiReport()));
