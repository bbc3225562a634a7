import type { SubmissionId } from "../../shared/ids.ts";
import { encodeJson } from "../../shared/nats.ts";
import type { Announcement } from "../../shared/protocol.ts";
import { subjects, type Topology } from "../../shared/topology.ts";
import type { Link } from "./link.ts";

/** Tells every server that something newer is stored. Losing it only delays: feeds sweep. */
export function announce(
  deps: { readonly link: Link; readonly topology: Topology },
  submission: SubmissionId,
  announcement: Announcement,
): void {
  deps.link.tell(subjects.update(deps.topology, submission), encodeJson(announcement));
}
