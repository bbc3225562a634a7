import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import {
  CODE_RUN_COMPILING,
  CODE_RUN_KIND,
  type CodeRunOutcome,
  CodeRunPayload,
  type CodeRunResult,
  type Written,
} from "../../shared/coderun.ts";
import type { Job } from "../../shared/protocol.ts";
import type { WorkContext, WorkKind } from "../work.ts";
import { build, type BuildDeps, type Program } from "./build.ts";
import { faultOf, JudgeFault } from "./faults.ts";
import { fullDisk } from "./judge.ts";
import { programRequest, runLimits } from "./program.ts";
import { readWords, runToEnd } from "./run.ts";
import { runVerdict } from "./verdicts.ts";
import { openWorkspace, type Workspace } from "./workspace.ts";

export interface CodeRunDeps extends BuildDeps {
  readonly workDir: string;
  /** Bytes free where programs write. */
  readonly freeDiskBytes: () => Promise<number>;
}

/** The kind of work "run": compile a program and run it once on its owner's input. Nothing is judged. */
export function createCodeRun(deps: CodeRunDeps): WorkKind {
  return {
    kind: CODE_RUN_KIND,
    async run(job, context) {
      try {
        const payload = readPayload(job);
        const workspace = await openWorkspace(deps, context.slot);
        try {
          const result = await runCode(deps, { payload, workspace, context });
          const full = result.outcome === "OK" ? undefined : await fullDisk(deps);
          return full === undefined ? { type: "finished", result } : { type: "fault", fault: full };
        } finally {
          // What cannot be removed now is removed at the next start; how the run ended stands.
          await workspace
            .close()
            .catch((error: unknown) => context.log.error({ err: error }, "job folder stays"));
        }
      } catch (error) {
        return context.signal.aborted ? { type: "stopped" } : { type: "fault", fault: faultOf(error) };
      }
    },
  };
}

interface Running {
  readonly payload: CodeRunPayload;
  readonly workspace: Workspace;
  readonly context: WorkContext;
}

async function runCode(deps: CodeRunDeps, running: Running): Promise<CodeRunResult> {
  const { payload, workspace, context } = running;
  const built = await build(deps, { ...payload, ...context, limits: CODE_RUN_COMPILING, workspace });
  const compiled = { compile: built.report };
  if (built.type === "refused") return { ...compiled, outcome: "CE" };
  context.report("compiled", compiled satisfies CodeRunResult);
  const { program } = built;
  try {
    const input = payload.stdin === undefined ? undefined : await context.blobs.open(payload.stdin.sha256);
    try {
      return { ...compiled, ...(await runProgram(deps, running, { program, stdin: input?.path ?? null })) };
    } finally {
      input?.release();
    }
  } finally {
    program.artefact.release();
  }
}

async function runProgram(
  deps: CodeRunDeps,
  { payload: { limits: given }, workspace, context }: Running,
  { program, stdin }: { readonly program: Program; readonly stdin: string | null },
): Promise<Required<Pick<CodeRunResult, "outcome" | "run">>> {
  const { timeFactor, id } = program.definition;
  const plain = { ...given, outputMiB: given.outputKiB / 1024 };
  const limits = runLimits(program, plain, { timeFactor, pressure: deps.cpuPressure() });
  const stdout = workspace.file("stdout");
  const stderr = workspace.file("stderr");
  const run = await runToEnd(
    deps.sandbox,
    { ...programRequest(program, given.memoryMiB), slot: context.slot, stdin, stdout, stderr, limits },
    context.signal,
  );
  const { status, cpuMs, wallMs, memoryKiB } = run;
  const errorOutput = readWords(stderr, given.shownBytes);
  const outcome: CodeRunOutcome = runVerdict(run, limits, { language: id, errorOutput }) ?? "OK";
  return {
    outcome,
    run: {
      ...(status.type === "exited" ? { exitCode: status.code } : {}),
      ...(status.type === "signalled" ? { signal: status.signal } : {}),
      cpuMs,
      wallMs,
      memoryKiB,
      stdout: written(stdout, given.shownBytes),
      stderr: written(stderr, given.shownBytes),
    },
  };
}

/** The beginning of a file that a program has written; empty when there is none. No link is followed. */
function written(path: string, bytes: number): Written {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return { text: "", truncated: false };
  }
  try {
    const { size } = fstatSync(fd);
    const buffer = Buffer.alloc(Math.min(size, bytes));
    const read = buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0));
    const truncated = size > bytes;
    // A character that the cut goes through is left out.
    return { text: new TextDecoder().decode(read, { stream: truncated }), truncated };
  } finally {
    closeSync(fd);
  }
}

function readPayload(job: Job): CodeRunPayload {
  const payload = CodeRunPayload.safeParse(job.payload);
  if (payload.success) return payload.data;
  throw new JudgeFault({ code: "JOB_MALFORMED", message: payload.error.message, retry: false });
}
