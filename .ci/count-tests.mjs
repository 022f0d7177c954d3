/** Prints "passed failed" of a JSON report of vitest. A file without a failed test that failed all the same counts as one. */
import { readFileSync } from "node:fs";

const report = JSON.parse(readFileSync(process.argv[2], "utf8"));
let passed = 0;
let failed = 0;
for (const file of report.testResults) {
  const failures = file.assertionResults.filter((test) => test.status === "failed").length;
  passed += file.assertionResults.filter((test) => test.status === "passed").length;
  failed += file.status === "failed" && failures === 0 ? 1 : failures;
}
console.log(`${passed} ${failed}`);
