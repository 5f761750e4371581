/**
 * Takes an edition from its approval to its close, and ends itself by SIGKILL right before one of its queries.
 * Arguments: the place (JSON), the way (`slot` or `send`), the number of the query.
 */
import { closeAnEdition, type Way } from './kills.ts';
import { type NewsroomPlace, openNewsroom, SLOT, watchQueries } from './newsroom.ts';

const [place = '', way = '', killBefore = ''] = process.argv.slice(2);
let queries = 0;
const plugin = watchQueries(() => {
  queries += 1;
  // A signal to itself: nothing runs after it, no handler and no pending write.
  if (queries === Number(killBefore)) process.kill(process.pid, 'SIGKILL');
});
const room = await openNewsroom(JSON.parse(place) as NewsroomPlace, SLOT, { plugin });
await closeAnEdition(room, way as Way, 0);
await room.app.store.close();
