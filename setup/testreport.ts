import { writeFileSync } from "node:fs";
import type { Reporter } from "vitest/node";

/** What became of the tests of one file. */
export interface Suite {
  /** Absolute path. */
  readonly file: string;
  /** Something in it failed; without a failed test: it broke before its first one, or after its last. */
  readonly failed: boolean;
  readonly tests: readonly { readonly name: string; readonly state: string }[];
}

export interface TestReport {
  readonly suites: readonly Suite[];
  /** Something broke outside of every test. */
  readonly broken: boolean;
}

/** Where the report goes. */
export const REPORT_FILE = "DOCKET_TEST_REPORT";

/** A reporter of vitest: unlike its own JSON, it knows of errors outside of tests. */
export default class implements Reporter {
  onTestRunEnd: NonNullable<Reporter["onTestRunEnd"]> = (modules, errors) => {
    const file = process.env[REPORT_FILE];
    if (file === undefined) return;
    const suites = modules.map((module): Suite => ({
      file: module.moduleId,
      failed: !module.ok(),
      tests: [...module.children.allTests()].map((test) => ({
        name: test.fullName,
        state: test.result().state,
      })),
    }));
    const report: TestReport = { suites, broken: errors.length > 0 };
    writeFileSync(file, JSON.stringify(report));
  };
}
