import type { HtmlEscapedString } from 'hono/utils/html';

/** HTML whose data is escaped, from the `html` template tag of Hono. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;
