/** Admits the requests of a client, such as one at a time to a host. A redirect is a request of its own. */
export interface RequestGate {
  /**
   * Waits until the request may begin. Disposing the result ends it: its response is read, or has failed.
   * @throws the reason of `signal`. What else it throws reaches the caller of `fetch`.
   */
  enter(url: URL, signal: AbortSignal): Promise<AsyncDisposable>;
}
