/** The name of each operation in messages, the same for every storage. */
export const operationNames = {
  ping: "a ping",
  time: "a clock reading",
  read: "a read",
  write: "a write",
  remove: "a removal",
  touch: "a touch",
  scan: "a scan",
  info: "an info call",
  run: "a question for the server's run",
  acquire: "an acquire",
  fill: "a fill",
  release: "a release",
  extend: "an extend",
  ensure: "an ensure",
  bump: "a bump",
  sweep: "a sweep",
} as const;
