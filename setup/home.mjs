// Where a checkout keeps what is fetched and what runs: `.docket`.
import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, realpathSync, statSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const OTHERS_EXECUTE = 0o001;

/** Can a user other than the owner reach what lies in `folder`? */
export function reachable(folder) {
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & OTHERS_EXECUTE) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

const exists = (path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/**
 * Real path of the checkout's `.docket`, made when missing. mongod and the executors run under users of their own,
 * which cannot reach into a closed folder such as /root: there, `.docket` is a link into /var/lib/docket.
 */
export function homeFolder(root) {
  const home = join(root, ".docket");
  if (!exists(home)) {
    if (process.getuid?.() !== 0 || reachable(root)) {
      mkdirSync(home, { recursive: true });
      chmodSync(home, 0o755);
    } else {
      const name = `${basename(root)}-${createHash("sha256").update(root).digest("hex").slice(0, 8)}`;
      const away = join("/var/lib/docket", name);
      mkdirSync(away, { recursive: true });
      for (const folder of [dirname(away), away]) chmodSync(folder, 0o711);
      if (!exists(home)) symlinkSync(away, home);
    }
  }
  return realpathSync(home);
}
