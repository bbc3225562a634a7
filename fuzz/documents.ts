import { readFileSync } from "node:fs";
import {
  buildSchema,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from "graphql";
import type { Chance } from "./chance.ts";
import { junk, junkNumber, junkString } from "./junk.ts";
import { mutateJson, mutateText } from "./mutate.ts";
import type { World } from "./world.ts";

const ROOT = new URL("../schema/", import.meta.url);
const schema = buildSchema(readFileSync(new URL("schema.graphql", ROOT), "utf8"));
const SAMPLES = ["1-submit", "2-watch", "3-submissions", "4-overview"].map((name) =>
  readFileSync(new URL(`operations/${name}.graphql`, ROOT), "utf8"),
);

export interface Operation {
  readonly query?: unknown;
  readonly variables?: unknown;
  readonly operationName?: unknown;
}

/** A value for an input type: mostly one that fits, sometimes one that cannot. */
function valueFor(chance: Chance, world: World, type: GraphQLInputType, name: string, depth = 3): unknown {
  if (chance.yes(0.06)) return junk(chance);
  if (isNonNullType(type)) return valueFor(chance, world, type.ofType, name, depth);
  if (chance.yes(0.1)) return null;
  if (isListType(type)) {
    return Array.from({ length: chance.int(4) }, () => valueFor(chance, world, type.ofType, name, depth));
  }
  if (isEnumType(type)) return chance.any(type.getValues())?.name;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter(
      (field) => depth > 0 && (isNonNullType(field.type) || chance.yes(0.5)),
    );
    return Object.fromEntries(
      fields.map((field) => [field.name, valueFor(chance, world, field.type, field.name, depth - 1)]),
    );
  }
  if (type.name === "Int") return chance.yes(0.7) ? chance.int(120) : junkNumber(chance);
  if (type.name === "Boolean") return chance.yes(0.5);
  if (type.name === "DateTime") return chance.yes(0.7) ? "2026-11-24T08:00:00.000Z" : junkString(chance);
  if (/id$/i.test(name) && chance.yes(0.7)) return chance.any(world.submissions);
  if (name === "problem" && chance.yes(0.7)) return world.problem;
  if (name === "language" && chance.yes(0.7)) return "python";
  return junkString(chance);
}

/** As GraphQL writes it; enum values go without quotes where the name looks like one. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value)
      .map(([key, part]) => `${key}: ${literal(part)}`)
      .join(", ")}}`;
  }
  if (typeof value === "string" && /^[A-Z_]{3,}$/.test(value)) return value;
  return JSON.stringify(value ?? null);
}

function selection(chance: Chance, world: World, type: GraphQLOutputType, depth: number, vars: Vars): string {
  const named = getNamedType(type);
  if (!isCompositeType(named)) return "";
  const parts: string[] = ["__typename"];
  if (isObjectType(named) || isInterfaceType(named)) {
    for (const field of Object.values(named.getFields())) {
      const deep = isCompositeType(getNamedType(field.type));
      if (chance.yes(deep ? 0.3 : 0.6) && (!deep || depth > 0)) {
        parts.push(fieldText(chance, world, field, depth - 1, vars));
      }
    }
  }
  if (depth > 0 && (isUnionType(named) || isInterfaceType(named))) {
    for (const member of schema.getPossibleTypes(named)) {
      if (chance.yes(0.7)) {
        parts.push(`... on ${member.name} ${selection(chance, world, member, depth - 1, vars)}`);
      }
    }
  }
  if (chance.yes(0.03)) parts.push("... F", "noSuchField", '... @include(if: "x") { __typename }');
  return `{ ${parts.join(" ")} }`;
}

type Vars = Map<string, { readonly type: string; readonly value: unknown }>;

function fieldText(
  chance: Chance,
  world: World,
  field: GraphQLField<unknown, unknown>,
  depth: number,
  vars: Vars,
): string {
  const args = field.args.flatMap((arg) => {
    if (!isNonNullType(arg.type) && chance.yes(0.5)) return [];
    const value = valueFor(chance, world, arg.type, arg.name);
    if (chance.yes(0.4)) return [`${arg.name}: ${literal(value)}`];
    const name = `v${vars.size}`;
    vars.set(name, { type: String(arg.type), value });
    return [`${arg.name}: $${name}`];
  });
  const alias = chance.yes(0.1) ? `a${chance.int(5)}: ` : "";
  const given = args.length === 0 ? "" : `(${args.join(", ")})`;
  return `${alias}${field.name}${given} ${selection(chance, world, field.type, depth, vars)}`;
}

/** One operation: grown from the schema or taken from the samples, then often wounded. */
export function makeOperation(chance: Chance, world: World): Operation {
  const kind = chance.pick(["query", "query", "query", "mutation", "mutation", "subscription"]);
  let query: string;
  let variables: unknown;
  if (chance.yes(0.25)) {
    query = chance.any(SAMPLES) ?? "";
    const input = { problem: world.problem, language: "python", source: "print(1)\n" };
    variables = {
      input,
      submissionId: chance.any(world.submissions),
      afterRevision: chance.int(5),
      first: 5,
    };
  } else {
    const root = {
      query: schema.getQueryType(),
      mutation: schema.getMutationType(),
      subscription: schema.getSubscriptionType(),
    }[kind];
    const vars: Vars = new Map();
    const fields = Object.values(root?.getFields() ?? {});
    const count = kind === "query" ? 1 + chance.int(3) : 1;
    const texts = Array.from({ length: count }, () => {
      const field = chance.any(fields);
      return field === undefined ? "" : fieldText(chance, world, field, chance.int(6), vars);
    });
    const declared = [...vars].map(([name, { type }]) => `$${name}: ${type}`).join(", ");
    query = `${kind} Fuzz${declared === "" ? "" : `(${declared})`} { ${texts.join(" ")} }`;
    variables = Object.fromEntries([...vars].map(([name, { value }]) => [name, value]));
  }
  if (chance.yes(0.3)) query = mutateText(chance, query);
  if (chance.yes(0.3)) variables = mutateJson(chance, variables);
  if (chance.yes(0.03)) {
    const wounded = mutateJson(chance, { query, variables, operationName: "Fuzz" }, 0.5);
    return typeof wounded === "object" && wounded !== null ? wounded : { query: wounded };
  }
  return chance.yes(0.1) ? { query, variables, operationName: junkString(chance) } : { query, variables };
}
