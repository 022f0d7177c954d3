/** Where the workloads keep their znodes; their checks look there. */
export const root = "/zabcheck";

export const registerPrefix: string = `${root}/register-`;
export const casPrefix: string = `${root}/cas-`;

/** What registers hold at first. */
export const initialValue = "initial";
