// TimescaleDB compiled to WebAssembly, behind a socket on the loopback address.
// Prints its port once it answers; ends when its standard input closes, so that it never outlives
// the test run that started it.
import { PGlite } from "@electric-sql/pglite";
import { timescaledb } from "@electric-sql/pglite/timescaledb";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

const db = await PGlite.create({ extensions: { timescaledb } });
const server = new PGLiteSocketServer({ db, host: "127.0.0.1", port: 0 });
server.addEventListener("listening", (event) => console.log(event.detail.port));
await server.start();

process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
