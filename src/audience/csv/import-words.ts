/** How messages name what somebody can say about a file. */
export interface ImportWords {
  /** Follows "add". @param column null where it is known to say the status */
  status(column: string | null, pairs: string): string;
  /** Follows "add". */
  ignore(column: string): string;
  /** Follows the title of a list format. */
  format(name: string): string;
  /** Follows "name one email". */
  chooseEmail: string;
  /** Follows "can both be the column: ". */
  chooseColumn(column: string): string;
  /** Follows the name of a column and "which". */
  namesColumns: string;
  /** Follows "add"; instead of a column of newsletters. */
  newsletters(column: string): string;
  /** One status for all rows, as the end of a sentence. */
  oneStatus: string;
}

/** The options of the command. */
export const COMMAND_OPTIONS: ImportWords = {
  status: (column, pairs) => `${column === null ? '' : `--map status="${column}" `}--status "${pairs}"`,
  ignore: (column) => `--ignore "${column}"`,
  format: (name) => ` (--format ${name})`,
  chooseEmail: ', or choose it with --map email="…"',
  chooseColumn: (column) => `choose one with --map ${column}="…"`,
  namesColumns: '--map, --ignore or --choices names',
  newsletters: (column) => `--ignore "${column}" --newsletter ID`,
  oneStatus: 'add --status unsubscribed, bounced, complained or unconfirmed for all of them, or --status subscribed',
};

const STATUS_FIELD = '“What the values of the status say”';

/** The fields of the desk's form. */
export const FORM_FIELDS: ImportWords = {
  status: (column, pairs) =>
    `${column === null ? '' : `"${column}" to “Columns that say the status” and `}"${pairs}" to ${STATUS_FIELD}`,
  ignore: (column) => `"${column}" to “Columns that say nothing about consent”`,
  format: () => '',
  chooseEmail: '',
  chooseColumn: () => 'rename one of them',
  namesColumns: 'the form names',
  newsletters: (column) => `"${column}" to “Columns that say nothing about consent”, and choose the newsletters`,
  oneStatus: `write into ${STATUS_FIELD} unsubscribed, bounced, complained or unconfirmed for all, or subscribed`,
};
