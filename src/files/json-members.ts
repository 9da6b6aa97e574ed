/**
 * The text of a JSON object without some of its members. All else stays as it was written: numbers such as 1e-05 and
 * 10000.0 would not survive being read and written again.
 */
export function withoutMembers(text: string, keys: ReadonlySet<string>): string {
  const { opening, members, closing } = membersOf(text);
  const kept = members.filter(({ key }) => !keys.has(key));
  return `${opening}${kept.map((member) => member.text).join(",")}${kept.length > 0 ? closing : closing.trimStart()}`;
}

/**
 * The text of a JSON object with other values of some members, indented as by two spaces; those that it lacks come behind
 * the others. All else stays as it was written.
 */
export function withMembers(text: string, values: Readonly<Record<string, unknown>>): string {
  const { opening, members, closing } = membersOf(text);
  const space = /^\s*/.exec(members[0]?.text ?? "\n  ")?.[0] ?? "";
  const rest = new Map(Object.entries(values));
  const written = (key: string, value: unknown): string =>
    `${space}${JSON.stringify(key)}: ${JSON.stringify(value, null, 2).replaceAll("\n", "\n  ")}`;
  const kept = members.map((member) => {
    if (!Object.hasOwn(values, member.key)) return member.text;
    rest.delete(member.key);
    return written(member.key, values[member.key]);
  });
  const added = Array.from(rest, ([key, value]) => written(key, value));
  return `${opening}${[...kept, ...added].join(",")}${members.length > 0 ? closing : `\n${closing.trimStart()}`}`;
}

interface Members {
  /** All before the first member, and all behind the last. */
  readonly opening: string;
  readonly closing: string;
  readonly members: readonly { readonly key: string; readonly text: string }[];
}

/** The members of the outermost object of a text that JSON.parse takes for one. */
function membersOf(text: string): Members {
  const opening = text.slice(0, text.indexOf("{") + 1);
  const members: { key: string; text: string }[] = [];
  let [depth, start] = [1, opening.length];
  let key: string | undefined;
  for (let at = start; at < text.length && depth > 0; at += 1) {
    const character = text[at];
    if (character === '"') {
      const end = endOfString(text, at);
      if (depth === 1) key ??= JSON.parse(text.slice(at, end + 1)) as string;
      at = end;
    } else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") depth -= 1;
    const isEnd = depth === 0 || (depth === 1 && character === ",");
    if (!isEnd || key === undefined) continue;
    members.push({ key, text: text.slice(start, at).trimEnd() });
    start = at + 1;
    key = undefined;
  }
  return { opening, members, closing: trailing(text) };
}

/** The last brace and the white space around it. */
function trailing(text: string): string {
  return text.slice(text.slice(0, text.lastIndexOf("}")).trimEnd().length);
}

function endOfString(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  return end;
}
