import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // One mongod and one nats-server for the whole run; every suite has a namespace of its own in them.
    globalSetup: ["test/support/services.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A suite that leaks must be seen, not waited for.
    teardownTimeout: 5_000,
    passWithNoTests: false,
  },
});
