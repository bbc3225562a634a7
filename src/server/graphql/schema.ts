import "./cancelsubmission.ts";
import "./capacity.ts";
import "./importproblem.ts";
import "./submitsubmission.ts";
import "./verdictupdated.ts";
import { builder } from "./builder.ts";

/** The whole schema; printed by codegen.ts into schema/schema.graphql. */
export const schema = builder.toSchema();
