/** Options of a field that is null to everybody but the jury. */
export const juryOnly = {
  authScopes: { jury: true },
  nullable: true,
  unauthorizedResolver: () => null,
} as const;
