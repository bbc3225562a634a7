import { type GraphQLResolveInfo, Kind, type SelectionSetNode } from "graphql";

/** Does the operation ask for any of these fields, at any depth below the one that `info` is of? */
export function selects({ fieldNodes, fragments }: GraphQLResolveInfo, names: ReadonlySet<string>): boolean {
  const seen = new Set<string>();
  const has = (set: SelectionSetNode | undefined): boolean =>
    set?.selections.some((one) => {
      if (one.kind === Kind.FIELD) return names.has(one.name.value) || has(one.selectionSet);
      if (one.kind === Kind.INLINE_FRAGMENT) return has(one.selectionSet);
      const name = one.name.value;
      if (seen.has(name)) return false;
      seen.add(name);
      return has(fragments[name]?.selectionSet);
    }) ?? false;
  return fieldNodes.some((node) => has(node.selectionSet));
}
