// `ws` on Node, after the "server broadcast" example of its README; one set of clients per room.
"use strict";

const http = require("node:http");
const { WebSocket, WebSocketServer } = require("ws");

const rooms = new Map();
const server = http.createServer();
const wss = new WebSocketServer({ server });

wss.on("connection", (ws, request) => {
  if (!rooms.has(request.url)) rooms.set(request.url, new Set());
  const clients = rooms.get(request.url);
  clients.add(ws);
  ws.on("error", console.error);
  ws.on("close", () => clients.delete(ws));
  ws.on("message", (data, isBinary) => {
    for (const client of clients) {
      if (client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary });
    }
  });
});

server.listen({ port: Number(process.env.PORT), host: process.env.HOST, backlog: 4096 });
