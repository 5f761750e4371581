import type { Capability } from '../core/capability.ts';
import { repeat } from '../lib/repeat.ts';
import { SECOND } from '../lib/time.ts';
import { startImporting } from './import/watched/watched-folders.ts';
import { lookingUpImages } from './remote-images/remote-images.ts';
import { fillTitleIndex } from './search/fill-index.ts';

/** A store of an earlier version with a million articles takes about half an hour. */
const INDEX_EVERY = 200;

export const articles: Capability = {
  startTasks(app) {
    const lookUpImages = lookingUpImages(app);
    return [
      startImporting(app),
      repeat(INDEX_EVERY, 'indexing headlines', app.log, async () => {
        await fillTitleIndex(app.store.db);
      }),
      repeat(2 * SECOND, 'looking up pictures', app.log, async (signal) => {
        await lookUpImages(signal);
      }),
    ];
  },
};
