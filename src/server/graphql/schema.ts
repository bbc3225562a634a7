import { builder } from "./builder.ts";
import { addCancelSubmission } from "./cancelsubmission.ts";
import { addCapacity } from "./capacity.ts";
import { addDeadLetters } from "./deadletters.ts";
import { addDiscardDeadLetter } from "./discarddeadletter.ts";
import { addImportProblem } from "./importproblem.ts";
import { addRedriveDeadLetters } from "./redrivedeadletters.ts";
import { addReinstateExecutor } from "./reinstateexecutor.ts";
import { addRejectedMessages } from "./rejectedmessages.ts";
import { addSubmitSubmission } from "./submitsubmission.ts";
import { addVerdictUpdated } from "./verdictupdated.ts";
import { addWork } from "./work.ts";
import { addWorkMutations } from "./workmutations.ts";

addSubmitSubmission();
addVerdictUpdated();
addCancelSubmission();
addImportProblem();
addCapacity();
addDeadLetters();
addRedriveDeadLetters();
addDiscardDeadLetter();
addRejectedMessages();
addReinstateExecutor();
addWork();
addWorkMutations();

/** The whole schema; printed by codegen.ts into schema/schema.graphql. */
export const schema = builder.toSchema();
