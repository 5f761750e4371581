/**
 * Settles as `promise` does, or rejects after `ms` milliseconds. It does not stop the work.
 * @throws Error with the message, after the timeout
 */
export async function withTimeout<T>(promise: Promise<T>, ms: number, message: string): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(message)), ms);
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}
