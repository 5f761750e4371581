/** Admits the requests of a client, such as one at a time to a host. A redirect is a request of its own. */
export interface RequestGate {
  /**
   * Waits until the request may begin. Disposing the result ends it: its response is read, or has failed.
   * @throws FetchError if it may not begin for too long; the reason of `signal`
   */
  enter(url: URL, signal: AbortSignal): Promise<AsyncDisposable>;
}
