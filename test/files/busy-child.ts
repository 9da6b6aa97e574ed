/** A program that ends with its parent, and is busy for ever. */
import { endWithParent } from "../../src/files/end-with-parent.ts";

await endWithParent();
process.send?.("busy");
for (;;);
