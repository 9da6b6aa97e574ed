/** Looks for products with the library at the first argument; prints what came of it. */
import { findProducts } from "../../../../src/device/ggml/products/find-products.ts";

const found = findProducts(process.argv[2]).then(
  ({ library }) => library?.name ?? "none",
  (error: Error) => error.message,
);
process.stdout.write(await found);
