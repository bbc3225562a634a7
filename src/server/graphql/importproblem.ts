import type { CodedError } from "../../shared/errors.ts";
import type { Limits } from "../../shared/limits.ts";
import { isJury } from "../auth.ts";
import type { Finding } from "../problems/finding.ts";
import type { ProblemDocument } from "../store/documents.ts";
import { orCoded } from "../coded.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Problem } from "./problem.ts";
import { errorType, resultType, UserError } from "./usererror.ts";

const FindingType = builder.objectRef<Finding>("Finding").implement({
  description: "One thing that an import has to say about a package.",
  fields: (t) => ({
    severity: t.exposeString("severity", { description: "error or warning" }),
    file: t.exposeString("file", { description: "Path in the package; empty for the archive as a whole." }),
    line: t.exposeInt("line", { nullable: true }),
    message: t.exposeString("message"),
    expected: t.exposeString("expected", { nullable: true, description: "What would have been right." }),
  }),
});

interface Imported {
  readonly problem: ProblemDocument;
  readonly warnings: readonly Finding[];
}

const Success = builder.objectRef<Imported>("ImportProblemSuccess").implement({
  fields: (t) => ({
    problem: t.expose("problem", { type: Problem }),
    warnings: t.field({ type: [FindingType], resolve: ({ warnings }) => [...warnings] }),
  }),
});

interface Refused extends CodedError {
  readonly findings: readonly Finding[];
}

const PackageRefused = builder.objectRef<Refused>("PackageRefused").implement({
  description: "The package has mistakes or asks for something not supported. Nothing was stored.",
  interfaces: [UserError],
  fields: (t) => ({
    findings: t.field({ type: [FindingType], resolve: ({ findings }) => [...findings] }),
  }),
});

const Result = builder.unionType("ImportProblemResult", {
  types: [
    Success,
    PackageRefused,
    errorType("FORBIDDEN"),
    errorType("INPUT_INVALID"),
    errorType("REQUEST_TOO_LARGE"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("ImportProblemSuccess"),
});

/** All places of imports are taken. */
export const importsBusy = ({ importsAtOnce }: Pick<Limits, "importsAtOnce">): CodedError => ({
  code: "SERVICE_UNAVAILABLE",
  message: `${importsAtOnce} packages are being imported already (limit importsAtOnce). Nothing was stored; try again.`,
  retryAfterMs: 5_000,
});

interface Input {
  readonly archive?: File | null | undefined;
  readonly archiveBase64?: string | null | undefined;
  readonly archiveName?: string | null | undefined;
  readonly problemId?: string | null | undefined;
}

async function importArchive(context: Context, input: Input): Promise<CodedError | Refused | Imported> {
  const { viewer, limits, imports } = context;
  if (viewer === undefined || !isJury(viewer)) {
    return {
      code: "FORBIDDEN",
      message: "Only the jury imports problems: use a key with the role jury.",
    };
  }
  const { archive, archiveBase64 } = input;
  if ((archive ?? undefined) === undefined && (archiveBase64 ?? undefined) === undefined) {
    return { code: "INPUT_INVALID", message: "Give archive (multipart upload) or archiveBase64." };
  }
  const bytes =
    archive !== undefined && archive !== null
      ? new Uint8Array(await archive.arrayBuffer())
      : Buffer.from(archiveBase64 ?? "", "base64");
  if (bytes.length > limits.packageBytes) {
    return {
      code: "REQUEST_TOO_LARGE",
      message: `The archive has ${bytes.length} bytes; the limit packageBytes is ${limits.packageBytes}.`,
    };
  }
  // An upload took its place before it was read.
  const release = archive instanceof File ? (): void => undefined : imports.take();
  if (release === undefined) return importsBusy(limits);
  const result = await context
    .importPackage({
      archive: bytes,
      archiveName: input.archiveName ?? archive?.name,
      problemId: input.problemId ?? undefined,
      by: viewer.owner,
    })
    .finally(release);
  if (result.type === "imported") return result;
  const errors = result.findings.filter(({ severity }) => severity === "error").length;
  return {
    code: "PACKAGE_REFUSED",
    message: `The package was not imported: ${errors} ${errors === 1 ? "thing is" : "things are"} wrong with it.`,
    findings: result.findings,
  };
}

export const addImportProblem = (): void =>
  builder.mutationField("importProblem", (t) =>
    t.fieldWithInput({
      type: Result,
      authScopes: { authenticated: true },
      description:
        "Imports a problem package in the Kattis/ICPC format (zip or gzipped tar). A package of the same id becomes its newest version. Jury only.",
      typeOptions: { name: "ImportProblemInput" },
      input: {
        archive: t.input.field({
          type: "File",
          description: "The archive as a part of a multipart request: for programs and curl.",
        }),
        archiveBase64: t.input.string({
          description:
            "The archive in base64, up to the limit requestBytes: for GraphiQL and small packages.",
        }),
        archiveName: t.input.string({
          description: "The archive's file name: names the problem where nothing else does.",
        }),
        problemId: t.input.string({ description: "Takes this id instead of the package's own." }),
      },
      resolve: (_root, { input }, context) => orCoded(() => importArchive(context, input)),
    }),
  );
