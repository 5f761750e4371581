/** How messages name what somebody can say about a file. */
export interface ImportWords {
  /** Follows "add". */
  mapStatus(column: string): string;
  /** Follows `mapStatus`, or "mean: ". */
  status(pairs: string): string;
  /** Follows "add". */
  ignore(column: string): string;
  /** Follows the title of a list format. */
  format(name: string): string;
  /** Follows "name one email". */
  chooseEmail: string;
  /** Follows "can both be the column: ". */
  chooseColumn(column: string): string;
  /** One status for all rows, as the end of a sentence. */
  oneStatus: string;
}

/** The options of the command. */
export const COMMAND_OPTIONS: ImportWords = {
  mapStatus: (column) => `--map status="${column}"`,
  status: (pairs) => `--status "${pairs}"`,
  ignore: (column) => `--ignore "${column}"`,
  format: (name) => ` (--format ${name})`,
  chooseEmail: ', or choose it with --map email="…"',
  chooseColumn: (column) => `choose one with --map ${column}="…"`,
  oneStatus: 'add --status unsubscribed, bounced, complained or unconfirmed for all of them, or --status subscribed',
};

/** The fields of the desk's form. */
export const FORM_FIELDS: ImportWords = {
  mapStatus: (column) => `to “Columns that say the status” "${column}"`,
  status: (pairs) => `in “What the values of the status say” "${pairs}"`,
  ignore: (column) => `to “Columns that say nothing about consent” "${column}"`,
  format: () => '',
  chooseEmail: '',
  chooseColumn: () => 'rename one of them',
  oneStatus:
    'write unsubscribed, bounced, complained or unconfirmed for all of them, or subscribed, into “What the values of ' +
    'the status say”',
};
