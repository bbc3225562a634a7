import { builder } from "./builder.ts";
import { addCancelSubmission } from "./cancelsubmission.ts";
import { addCapacity } from "./capacity.ts";
import { addImportProblem } from "./importproblem.ts";
import { addSubmitSubmission } from "./submitsubmission.ts";
import { addVerdictUpdated } from "./verdictupdated.ts";

addSubmitSubmission();
addVerdictUpdated();
addCancelSubmission();
addImportProblem();
addCapacity();

/** The whole schema; printed by codegen.ts into schema/schema.graphql. */
export const schema = builder.toSchema();
