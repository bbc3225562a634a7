import type { NamedWorkload, WorkPayload } from "../../shared/workload.ts";
import { isWork, type SubmissionDocument, type WorkDocument } from "../store/documents.ts";
import type { WorkKind } from "./work.ts";

function asWork(handedIn: SubmissionDocument | WorkDocument): WorkDocument {
  if (isWork(handedIn)) return handedIn;
  throw new Error(`${handedIn._id} is a submission to be judged`);
}

/** The server's half of a kind of work besides judging, as dispatch takes it. */
export function createWorkloadKind(workload: NamedWorkload): WorkKind {
  return {
    kind: workload.name,
    payload: (handedIn): WorkPayload => {
      const { input, files } = asWork(handedIn);
      return { input, files: [...files] };
    },
    blobs: (handedIn) => handedIn.files.map(({ sha256 }) => sha256),
    // Only its executor's half knows what comes out; it is shown as it is.
    isResult: () => true,
    deadlineMs: (handedIn) => Promise.resolve(workload.deadlineMs(asWork(handedIn).input)),
  };
}
