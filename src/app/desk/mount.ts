/**
 * Adds the desk to the web app of a process.
 */
import type { AppContext } from '../../core/app-context.ts';
import { createDesk } from '../../web/desk/desk-app.ts';
import type { DeskContext } from '../../web/desk/desk-request.ts';
import { LiveHub } from '../../web/desk/live/live-hub.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import type { MountedPages } from '../start.ts';
import { DESK_ROUTES, NAVIGATION } from './routes.ts';

/** Opens the desk of a process. @returns its app, and what ends its streams */
export function openDesk(app: AppContext, web: WebContext): MountedPages {
  const live = new LiveHub(app);
  const desk: DeskContext = { app, web, base: `${web.base}/desk`, live, navigation: NAVIGATION };
  return { path: '/desk', pages: createDesk(desk, DESK_ROUTES), stop: () => live.stop() };
}
