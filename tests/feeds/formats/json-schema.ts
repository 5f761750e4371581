/** JSON Feed 1.1 (jsonfeed.org/version/1.1) as a schema. Strict: only members of the specification are allowed. */
import { z } from 'zod';

const url = z.url({ protocol: /^https?$/ });
const instant = z.iso.datetime({ offset: true });
const author = z
  .strictObject({ name: z.string().optional(), url: z.url().optional(), avatar: url.optional() })
  .refine((value) => Object.keys(value).length > 0, 'at least one of name, url, avatar');

const item = z
  .strictObject({
    id: z.string().min(1),
    url: url.optional(),
    external_url: url.optional(),
    title: z.string().optional(),
    content_html: z.string().optional(),
    content_text: z.string().optional(),
    summary: z.string().optional(),
    image: url.optional(),
    banner_image: url.optional(),
    date_published: instant.optional(),
    date_modified: instant.optional(),
    authors: z.array(author).optional(),
    tags: z.array(z.string()).optional(),
    language: z.string().optional(),
    attachments: z
      .array(
        z.strictObject({
          url,
          mime_type: z.string().regex(/^[^/]+\/[^/]+$/),
          title: z.string().optional(),
          size_in_bytes: z.int().positive().optional(),
          duration_in_seconds: z.number().positive().optional(),
        }),
      )
      .optional(),
  })
  .refine(
    (value) => value.content_html !== undefined || value.content_text !== undefined,
    'content_html or content_text',
  );

export const jsonFeed = z.strictObject({
  version: z.literal('https://jsonfeed.org/version/1.1'),
  title: z.string(),
  home_page_url: url.optional(),
  feed_url: url.optional(),
  description: z.string().optional(),
  user_comment: z.string().optional(),
  next_url: url.optional(),
  icon: url.optional(),
  favicon: url.optional(),
  authors: z.array(author).optional(),
  language: z.string().optional(),
  expired: z.boolean().optional(),
  hubs: z.array(z.strictObject({ type: z.string().min(1), url })).optional(),
  items: z.array(item).refine((items) => new Set(items.map(({ id }) => id)).size === items.length, 'ids are unique'),
});
