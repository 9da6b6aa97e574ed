import { hash } from "node:crypto";

/** In hexadecimal; of a text its UTF-8. */
export function sha256Of(content: string | Uint8Array): string {
  return hash("sha256", content);
}
