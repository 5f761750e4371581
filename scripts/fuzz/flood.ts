/** A worker thread that floods a port of this machine with pipelined requests: rounds of connections, then it ends. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';

export const FLOOD = { rounds: 4, connections: 80, requests: 800 };
/** Every second round leaves at once, the others read for that time. Milliseconds. */
const READING = 2_000;
const LEAVING = 30;

if (workerData?.port !== undefined) await flood(workerData.port as number);

async function flood(port: number): Promise<void> {
  const requests = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(FLOOD.requests));
  for (let round = 0; round < FLOOD.rounds; round++) {
    const sockets = Array.from({ length: FLOOD.connections }, () => {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.resume().write(requests);
      return socket;
    });
    await sleep(round % 2 === 0 ? READING : LEAVING);
    for (const socket of sockets) socket.destroy();
    await sleep(500);
  }
}
