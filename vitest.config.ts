import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // The file that Node itself takes: two copies of graphql in one process do not know each other's classes.
  resolve: { alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve("graphql")) }] },
  test: {
    include: ["test/**/*.test.ts"],
    // One mongod and one nats-server for the whole run; every suite has a namespace of its own in them.
    globalSetup: ["test/support/services.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // How long may be waited for an event; a busy machine takes its time.
    expect: { poll: { timeout: 15_000 } },
    // A suite that leaks must be seen, not waited for.
    teardownTimeout: 5_000,
    passWithNoTests: false,
  },
});
