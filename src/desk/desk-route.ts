/**
 * A route of the desk, as data: who may use it is checked before its handler is called.
 */
import type { Permission } from '../accounts/permissions.ts';
import type { DeskRequest, SignedInRequest } from './desk-request.ts';

interface AnyDeskRoute {
  method: 'GET' | 'POST';
  /** Below the desk's path, as Hono writes it: `/editions/:newsletter/:slot/hold`. */
  path: string;
  /**
   * The body is not read before the handler, so it can be long, and is no form. Such a route has no `confirms`.
   */
  upload?: true;
  /** An open page requests it by itself: that is no use of the session. */
  isBackground?: true;
}

export type DeskRoute = AnyDeskRoute &
  (
    | {
        /** Also without a session. */
        needs: null;
        handle(request: DeskRequest): Promise<Response> | Response;
      }
    | {
        needs: Permission;
        /** The form has the field `password`: the account's password again. */
        confirms?: true;
        handle(request: SignedInRequest): Promise<Response> | Response;
      }
  );
