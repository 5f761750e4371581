/**
 * All routes of the desk.
 */
import type { DeskRoute } from './desk-route.ts';

export const DESK_ROUTES: readonly DeskRoute[] = [];
