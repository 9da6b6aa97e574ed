import { type RuleJudgement, ofEachOnHub, plain, type Rule } from "./rule.ts";

/** Identifiers of the Hub whose terms permit research, changes and publication. */
const permitting = new Set(
  [
    "apache-2.0 mit bsd bsd-2-clause bsd-3-clause bsl-1.0 isc unlicense wtfpl zlib afl-3.0 artistic-2.0 ecl-2.0 epl-2.0",
    "eupl-1.1 eupl-1.2 mpl-2.0 ms-pl osl-3.0 gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 agpl-3.0 cc0-1.0 cc-by-2.0",
    "cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 odc-by odbl pddl cdla-permissive-1.0 cdla-permissive-2.0 openrail",
    "openrail++ creativeml-openrail-m bigcode-openrail-m bigscience-openrail-m bigscience-bloom-rail-1.0",
    "llama2 llama3 gemma",
  ].flatMap((line) => line.split(" ")),
);

/** The licence must permit research; what the model's card states is taken at its word. */
export const licence: Rule = {
  id: "licence",
  title: "Licences permit research use",
  check: ofEachOnHub(({ licence }) => judge(licence)),
};

function judge(licence: string | undefined): RuleJudgement {
  if (licence === undefined) return { verdict: "warn", evidence: "the card states none; ask the model's author" };
  const stated = plain(licence);
  if (permitting.has(licence)) return { verdict: "pass", evidence: stated };
  if (/^cc-by-nc-(?:sa-)?\d/.test(licence)) {
    return { verdict: "pass", evidence: `${stated}: research only, and so is the merge` };
  }
  if (licence.includes("-nd-"))
    return { verdict: "warn", evidence: `${stated}: forbids publishing what derives from it` };
  return { verdict: "warn", evidence: `"${stated}" is not a known identifier; read the licence on the model's card` };
}
