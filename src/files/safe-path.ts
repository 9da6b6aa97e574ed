const CONTROL = /\p{Cc}/u;

/** Names of devices, names that end otherwise than they are written, and characters of no name. */
const NO_WINDOWS_NAME = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)|[. ]$|[<>:"|?*]/i;

/** Whether a path that a repository or an index gives a file stays inside any folder it is joined to, and is a file there. */
export function isSafePath(path: string, platform: NodeJS.Platform = process.platform): boolean {
  if (CONTROL.test(path) || path.includes("\\") || /^[A-Za-z]:/.test(path)) return false;
  return path.split("/").every((part) => {
    if (part === "" || part === "." || part === "..") return false;
    return platform !== "win32" || !NO_WINDOWS_NAME.test(part);
  });
}
