// Talks to a real server with the page's socket module alone: node send_and_reconnect.mjs WS_URL TOKEN ROOM
import { ChatSocket } from "../../../app/static/js/socket.js";

const [url, token, room] = process.argv.slice(2);
const received = [];
const chat = new ChatSocket({
  url,
  token: () => token,
  onEvent: (event) => {
    if (event.type !== "message") return;
    received.push(event.message);
    if (received.length === 1) {
      chat.say(Number(room), "hello again after reconnecting");
      chat.drop();
    } else {
      console.log(JSON.stringify(received));
      chat.close();
    }
  },
});
chat.subscribe(Number(room), 0);
chat.open();
chat.say(Number(room), "hello from Node");
