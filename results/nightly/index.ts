export * from "./night-directory.ts";
export * from "./summary.ts";
export { countsOf, endingSentence, headline } from "./summary-words.ts";
export * from "./write-summary.ts";
