import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["{model,checkers,clusters,results,harness}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "dist/**", "results/runs/**", "**/*.large.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});

export default config;
