/** Environment of a server under a load that comes from one owner on purpose. */
export const ONE_OWNER: Readonly<Record<string, string>> = {
  DOCKET_LIMIT_OWNER_PER_SECOND: "1000000",
  DOCKET_LIMIT_OWNER_BURST: "1000000000",
  DOCKET_LIMIT_OWNER_UNFINISHED: "1000000000",
};

/** The same, and all of it may be in the queue at once. */
export const ONE_OWNER_QUEUED: Readonly<Record<string, string>> = {
  ...ONE_OWNER,
  DOCKET_LIMIT_OWNER_WINDOW: "1000000",
};
