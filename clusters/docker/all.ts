/** Does something with each at once. All end before the first failure is thrown, so that nothing goes on behind a caller's back. */
export async function all<S, T>(each: readonly S[], work: (one: S) => Promise<T>): Promise<T[]> {
  const results = await Promise.allSettled(each.map(work));
  const failure = results.find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return results.map((result) => (result as PromiseFulfilledResult<T>).value);
}
