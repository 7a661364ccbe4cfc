// Talks to a real server with nothing but the page's own socket: node talk.mjs WS_URL TOKEN ROOM
import { ChatSocket } from "../../../app/static/js/socket.js";

const [url, token, room] = process.argv.slice(2);
const heard = [];
const chat = new ChatSocket({
  url,
  token: () => token,
  onEvent: (event) => {
    if (event.type !== "message") return;
    heard.push(event.message);
    if (heard.length === 1) {
      chat.say(Number(room), "and again, after the tunnel");
      chat.drop();
    } else {
      console.log(JSON.stringify(heard));
      chat.close();
    }
  },
});
chat.subscribe(Number(room), 0);
chat.open();
chat.say(Number(room), "hello from Node");
