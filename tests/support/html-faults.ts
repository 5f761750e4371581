import { HtmlValidate } from 'html-validate';

const validator = new HtmlValidate({
  extends: ['html-validate:a11y'],
  rules: {
    'close-order': 'error',
    'element-permitted-content': 'error',
    'element-required-attributes': 'error',
    'heading-level': 'error',
    'missing-doctype': 'error',
    'no-dup-id': 'error',
  },
});

/** What html-validate finds wrong with a page: its structure, and what keeps people from using it. */
export async function htmlFaults(html: string): Promise<string[]> {
  const report = await validator.validateString(html);
  return report.results.flatMap((result) => result.messages.map((m) => `${m.line}: ${m.ruleId}: ${m.message}`));
}
