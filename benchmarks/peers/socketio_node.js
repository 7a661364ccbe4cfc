// Socket.IO on Node, as its documentation shows: join a room, emit to the room.
"use strict";

const { createServer } = require("node:http");
const { Server } = require("socket.io");

const httpServer = createServer();
const io = new Server(httpServer);

io.on("connection", (socket) => {
  socket.on("join", async (room, done) => {
    await socket.join(room);
    done("ok");
  });
  socket.on("message", (room, data) => {
    io.to(room).emit("message", data);
  });
});

httpServer.listen({ port: Number(process.env.PORT), host: process.env.HOST, backlog: 4096 });
