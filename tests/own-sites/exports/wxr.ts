/** Makes exports of WordPress and Ghost. */

/** An `<item>` of WXR; `more` is XML within it. */
export function wxrItem(
  id: number,
  {
    title = `Post ${id}`,
    type = 'post',
    status = 'publish',
    content = `<!-- wp:paragraph -->\n<p>The text of post ${id}.</p>\n<!-- /wp:paragraph -->`,
    excerpt = '',
    password = '',
    date = '2024-03-01 10:00:00',
    more = '',
  }: Record<string, string> = {},
): string {
  const cdata = (text: string): string => `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
  return `
	<item>
		<title>${cdata(title)}</title>
		<link>https://times.example/2024/post-${id}/</link>
		<pubDate>Fri, 01 Mar 2024 10:00:00 +0000</pubDate>
		<dc:creator>${cdata('ann')}</dc:creator>
		<guid isPermaLink="false">https://times.example/?p=${id}</guid>
		<description></description>
		<content:encoded>${cdata(content)}</content:encoded>
		<excerpt:encoded>${cdata(excerpt)}</excerpt:encoded>
		<wp:post_id>${id}</wp:post_id>
		<wp:post_date>${cdata(date)}</wp:post_date>
		<wp:post_date_gmt>${cdata(date)}</wp:post_date_gmt>
		<wp:post_modified>${cdata('2024-03-02 10:00:00')}</wp:post_modified>
		<wp:post_modified_gmt>${cdata('2024-03-02 10:00:00')}</wp:post_modified_gmt>
		<wp:comment_status>${cdata('closed')}</wp:comment_status>
		<wp:post_name>${cdata(`post-${id}`)}</wp:post_name>
		<wp:status>${cdata(status)}</wp:status>
		<wp:post_parent>0</wp:post_parent>
		<wp:menu_order>0</wp:menu_order>
		<wp:post_type>${cdata(type)}</wp:post_type>
		<wp:post_password>${cdata(password)}</wp:post_password>
		<wp:is_sticky>0</wp:is_sticky>${more}
	</item>`;
}

export function wxrMeta(key: string, value: string): string {
  return `
		<wp:postmeta>
			<wp:meta_key><![CDATA[${key}]]></wp:meta_key>
			<wp:meta_value><![CDATA[${value}]]></wp:meta_value>
		</wp:postmeta>`;
}

export function wxr(items: string[]): string {
  return `<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
	xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
	xmlns:wp="http://wordpress.org/export/1.2/">
<channel>
	<title>The Times</title>
	<wp:wxr_version>1.2</wp:wxr_version>
	<wp:author><wp:author_id>1</wp:author_id><wp:author_login><![CDATA[ann]]></wp:author_login>
		<wp:author_display_name><![CDATA[Ann Example]]></wp:author_display_name></wp:author>${items.join('')}
</channel>
</rss>
`;
}

export type GhostRow = Record<string, unknown>;

export function ghostPost(id: number, change: GhostRow = {}): GhostRow {
  return {
    id: `5f00000000000000000${String(id).padStart(5, '0')}`,
    uuid: `u-${id}`,
    title: `Post ${id}`,
    slug: `post-${id}`,
    mobiledoc: null,
    lexical: '{}',
    html: `<p>The text of post ${id}.</p>`,
    plaintext: `The text of post ${id}.`,
    feature_image: null,
    featured: 0,
    type: 'post',
    status: 'published',
    visibility: 'public',
    created_at: '2024-03-01T09:00:00.000Z',
    updated_at: '2024-03-02T10:00:00.000Z',
    published_at: '2024-03-01T10:00:00.000Z',
    custom_excerpt: null,
    canonical_url: null,
    ...change,
  };
}

export function ghostExport(posts: GhostRow[], tables: Record<string, GhostRow[]> = {}): string {
  return JSON.stringify({
    db: [{ meta: { exported_on: 1_709_280_000_000, version: '5.80.0' }, data: { posts, ...tables } }],
  });
}
