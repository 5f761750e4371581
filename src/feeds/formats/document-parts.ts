/**
 * A document is its frame with the texts of its items in it. The text of an item depends on the article and the
 * configuration alone, so it is rendered once for all documents that have the item.
 */

/** The text around the items of a document. */
export interface Frame {
  head: string;
  /** Precedes the first item. */
  first: string;
  /** Precedes each further item. */
  between: string;
  tail: string;
}

/** The text of an item around the place of its body. */
export interface ItemText {
  before: string;
  /** What stands there if the document does not have the body. */
  summary: string;
  after: string;
}

/** The text around an escaped body. */
export interface BodyPlace {
  open: string;
  close: string;
}
