import { builder } from "./builder.ts";
import { addCancelSubmission } from "./cancelsubmission.ts";
import { addCapacity } from "./capacity.ts";
import { addContests } from "./contests.ts";
import { addDeadLetters } from "./deadletters.ts";
import { addDiscardDeadLetter } from "./discarddeadletter.ts";
import { addImportProblem } from "./importproblem.ts";
import { addRedriveDeadLetters } from "./redrivedeadletters.ts";
import { addHistory } from "./history.ts";
import { addRejudges } from "./rejudge.ts";
import { addRejudgeMutations } from "./rejudgemutations.ts";
import { addReinstateExecutor } from "./reinstateexecutor.ts";
import { addRejectedMessages } from "./rejectedmessages.ts";
import { addSubmitSubmission } from "./submitsubmission.ts";
import { addSubmitSubmissions } from "./submitsubmissions.ts";
import { addVerdictUpdated } from "./verdictupdated.ts";
import { addWork } from "./work.ts";
import { addWorkMutations } from "./workmutations.ts";

addSubmitSubmission();
addSubmitSubmissions();
addVerdictUpdated();
addCancelSubmission();
addImportProblem();
addCapacity();
addContests();
addDeadLetters();
addRedriveDeadLetters();
addDiscardDeadLetter();
addRejectedMessages();
addReinstateExecutor();
addHistory();
addRejudges();
addRejudgeMutations();
addWork();
addWorkMutations();

/** The whole schema; printed by codegen.ts into schema/schema.graphql. */
export const schema = builder.toSchema();
