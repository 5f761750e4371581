/** A route of the desk, as data: who may use it is checked before its handler is called. */
import type { Permission } from '../../accounts/permissions.ts';
import type { DeskRequest, NavigationItem, SignedInRequest } from './desk-request.ts';

/** An act that needs the account's password again. */
export interface Confirmed {
  /** What it does, as the title of the page that asks for the password: `Cancel the edition`. */
  act: string;
  /** The page with the act's form, with what was typed and the error; by default a page with hidden fields. */
  page?(request: SignedInRequest, error: string | undefined): Promise<Response>;
}

interface AnyDeskRoute {
  method: 'GET' | 'POST';
  /** Below the desk's path, as Hono writes it: `/editions/:newsletter/:slot/hold`. */
  path: string;
  /** The body is not read before the handler, so it can be long, and is no form. Such a route has no `confirms`. */
  upload?: true;
  /** An open page requests it by itself: that is no use of the session. */
  isBackground?: true;
  /** Also for an account that must set up its second factor first. */
  isBeforeSecondFactor?: true;
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
        confirms?: Confirmed;
        /** The page with the form as it was posted, which stores nothing; by default a page with hidden fields. */
        again?(request: SignedInRequest): Promise<Response>;
        handle(request: SignedInRequest): Promise<Response> | Response;
      }
  );

/** What a capability gives to the desk. */
export interface DeskSection {
  navigation: NavigationItem;
  routes: readonly DeskRoute[];
}
