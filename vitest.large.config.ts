import { defineConfig, type ViteUserConfig } from "vitest/config";

/** The tests that take minutes: `npm run test:large`. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ["{model,checkers,clusters,results,harness}/**/*.large.test.ts"],
    exclude: ["**/node_modules/**", "dist/**", "results/runs/**"],
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
    maxWorkers: 1,
  },
});

export default config;
