import { expect, it } from 'vitest';
import { audienceCapability } from '../../src/audience/capability.ts';
import { article, saveAll } from '../support/articles.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';
import { sampleConfig } from '../support/sample.ts';

forEachDatabase((open) => {
  it('warns of a newsletter without subscribers, and of a topic that no article has', async () => {
    const store = await open();
    await saveAll(store, [article('a', { tags: ['Électric cars'] })]);
    const [first, ...others] = sampleConfig().newsletters;
    const choices = { sections: false, tags: ['Electric Cars', 'Chips'], reporters: false };
    const config = { ...sampleConfig(), newsletters: [{ ...first, choices }, ...others] } as never;
    const findings = (await audienceCapability.checks?.content?.(store, config, NOW)) ?? [];
    const ofFirst = findings.map(({ message }) => message).filter((message) => message.includes('daily-roundup:'));
    expect(ofFirst).toEqual([
      'newsletters daily-roundup: nobody is subscribed, so its editions reach nobody',
      'newsletters daily-roundup: no article has the tag Chips: who chooses it gets nothing',
    ]);
  });
});
