/** The parent's path: "/a/b" → "/a", "/a" → "/". PrepRequestProcessor takes the text before the last slash. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

/** The last part of a path: "/a/b" → "b". */
export function nodeName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The path of a child: ("/", "a") → "/a". */
export function childPath(parent: string, name: string): string {
  return parent === "/" ? `/${name}` : `${parent}/${name}`;
}

/**
 * The suffix of a sequential node: the parent's count of creates in at least ten digits, as Java's `%010d` prints a
 * 32-bit integer (also a negative one, after 2^31 creates).
 */
export function sequenceSuffix(creates: number): string {
  const value = creates | 0;
  return value < 0 ? `-${String(-value).padStart(9, "0")}` : String(value).padStart(10, "0");
}

/** The number at the end of a sequential node's name; undefined where there is none. */
export function sequenceNumber(name: string): number | undefined {
  const match = /(\d{10}|-\d{9})$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

const plain = /^(?:\/[A-Za-z0-9_-]+)+$/;

/** Whether the server accepts the path (PathUtils.validatePath). */
export function isValidPath(path: string): boolean {
  if (plain.test(path) || path === "/") return true;
  if (!path.startsWith("/") || path.endsWith("/") || hasForbiddenUnit(path)) return false;
  return path
    .slice(1)
    .split("/")
    .every((part) => part !== "" && part !== "." && part !== "..");
}

/** Nodes of ZooKeeper's own that cannot be deleted. */
export function isSpecialPath(path: string): boolean {
  return path === "/" || path === "/zookeeper" || path === "/zookeeper/quota" || path === "/zookeeper/config";
}

/** Control characters, surrogates, the private use area and the last sixteen of the plane. */
function hasForbiddenUnit(path: string): boolean {
  for (let i = 0; i < path.length; i++) {
    const unit = path.charCodeAt(i);
    if (unit <= 0x1f || (unit >= 0x7f && unit <= 0x9f)) return true;
    if ((unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0) return true;
  }
  return false;
}
