// WebSockets on localhost: the backend's `sockets` behind the HTTP server that serves its `app`.
import type { Server } from 'node:http';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { ServerEnd, type SocketServer } from '../phone/server-socket.ts';

/** Puts the backend's sockets on the server, on every path. `say` is told of each that opens and closes. Gives what ends them. */
export function serveSockets(server: Server, sockets: SocketServer, say: (line: string) => void): () => void {
  const listener = new WebSocketServer({ server });
  listener.on('connection', (socket, request) => {
    const path = request.url ?? '/';
    say(`socket ${path} opened`);
    socket.once('close', (code) => say(`socket ${path} closed (${code})`));
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
    sockets.connect({ url: `ws://${request.headers.host ?? 'localhost'}${path}`, headers }, serverEndOf(socket));
  });
  return () => {
    for (const socket of listener.clients) socket.terminate();
    listener.close();
  };
}

function serverEndOf(socket: WebSocket): ServerEnd {
  const end = new ServerEnd({
    sendToApp: (text) => socket.send(text),
    closeFromServer: (code, reason) => socket.close(code, reason),
    terminateFromServer: () => socket.terminate(),
  });
  socket.on('message', (data: RawData) => end.received(String(data)));
  socket.on('close', (code, reason) => end.closed(code, String(reason)));
  // A client that breaks the protocol is closed by `ws` itself; the close is told above.
  socket.on('error', () => undefined);
  return end;
}
