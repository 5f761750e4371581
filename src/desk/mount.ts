/**
 * Adds the desk to the web app of a process.
 */
import type { AppContext } from '../app/app-context.ts';
import type { MountedPages } from '../app/start.ts';
import type { WebContext } from '../http/server/web-context.ts';
import { createDesk } from './desk-app.ts';
import type { DeskContext } from './desk-request.ts';
import { LiveHub } from './live/live-hub.ts';
import { DESK_ROUTES } from './routes.ts';

/** Opens the desk of a process. @returns its app, and what ends its streams */
export function openDesk(app: AppContext, web: WebContext): MountedPages {
  const live = new LiveHub(app);
  const desk: DeskContext = { app, web, base: `${web.base}/desk`, live };
  return { path: '/desk', pages: createDesk(desk, DESK_ROUTES), stop: () => live.stop() };
}
