/**
 * Where the server's addresses begin: "", or its path behind a proxy (`ROOT_PATH`). This file lies two folders below it.
 * Outside a browser there is no server, and the path of this file says nothing.
 */
const folder = new URL("../..", import.meta.url);
export const base = folder.protocol === "file:" ? "" : folder.pathname.replace(/\/$/, "");
