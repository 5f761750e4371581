/**
 * A real HTTP server that records its requests.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface WebServer {
  url: string;
  requests: { method: string; path: string; body: string; contentType: string | undefined }[];
  /** The status of its responses; `hang` never responds. */
  answer: number | 'hang';
}

export async function startWebServer(): Promise<WebServer> {
  const state: WebServer = { url: '', requests: [], answer: 200 };
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const { method = '', url: path = '', headers } = request;
    state.requests.push({ method, path, body, contentType: headers['content-type'] });
    if (state.answer === 'hang') return;
    response.writeHead(state.answer, state.answer === 302 ? { location: '/elsewhere' } : {}).end('thank you');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=s3cret`;
  return state;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}
