#!/usr/bin/env node
/** The installed program. */
// oxlint-disable-next-line import/no-unassigned-import -- it is there for what it sets.
require("./thread-pool.cjs");
void import("./main.js");
