import type { Collection } from "mongodb";
import type { JudgementId } from "../../shared/ids.ts";
import type { JudgementDocument } from "./documents.ts";
import { groupCommit } from "./groupcommit.ts";
import { guarded } from "./unavailable.ts";

/** Most documents of one read, and most reads at once. */
const LIMITS = { items: 256, writesAtOnce: 8 };

/** Reads in groups: those that are asked for in one turn share a round trip. Each is read after it was asked for. */
export function groupRead(
  collection: Collection<JudgementDocument>,
): (id: JudgementId) => Promise<JudgementDocument | undefined> {
  return groupCommit<JudgementId, JudgementDocument | undefined>(LIMITS, (ids) =>
    guarded(async () => {
      const [only] = ids;
      if (only !== undefined && ids.length === 1)
        return [{ value: (await collection.findOne({ _id: only })) ?? undefined }];
      const found = await collection.find({ _id: { $in: [...ids] } }).toArray();
      const byId = new Map(found.map((one) => [one._id, one]));
      return ids.map((id) => ({ value: byId.get(id) }));
    }),
  );
}
