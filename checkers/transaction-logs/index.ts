export { checkTransactionLogs, type TransactionLogOptions } from "./check.ts";
export { logChecks, type LogCheck } from "./findings.ts";
