import { join } from "node:path";

/** What this machine mounts: the result of reading /proc/self/mountinfo and /proc/self/cgroup. */
export interface CgroupMounts {
  /** Controller name to the directory of our own group in its v1 hierarchy. */
  readonly v1: ReadonlyMap<string, string>;
  /** Mount point of the v2 hierarchy. */
  readonly v2: string | undefined;
}

/** Pure: finds the hierarchies from the text of mountinfo and /proc/self/cgroup. */
export function parseCgroupMounts(mountinfo: string, selfCgroup: string): CgroupMounts {
  const own = new Map<string, string>();
  for (const line of selfCgroup.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const controller of controllers.split(",")) own.set(controller, path);
  }
  const v1 = new Map<string, string>();
  let v2: CgroupMounts["v2"];
  for (const line of mountinfo.split("\n")) {
    const [left = "", right = ""] = line.split(" - ");
    const [, , , root = "/", mount = ""] = left.split(" ");
    const [type, , options = ""] = right.split(" ");
    if (type === "cgroup2") v2 ??= mount;
    if (type !== "cgroup") continue;
    for (const option of options.split(",")) {
      if (!own.has(option) || v1.has(option)) continue;
      v1.set(option, join(mount, below(own.get(option) ?? "/", root)));
    }
  }
  return { v1, v2 };
}

/** In a container the mount shows a part of the hierarchy only, or our own path lies outside of what is shown. */
const below = (path: string, root: string): string => {
  if (root === "/") return path === "/" ? "" : path;
  return path.startsWith(`${root}/`) ? path.slice(root.length) : "";
};
