/** Next to src/ in a checkout, and next to dist/ in the published package. */
export const SAMPLE = new URL('../../../sample/', import.meta.url);
