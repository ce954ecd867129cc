import { Buffer } from "node:buffer";
import {
  type ConnectionOptions,
  type ConnectionSettings,
  connectionRows,
  OptionTable,
  optionKind,
} from "cacheme/driver";

/** The options of `postgresBus`. Everything has a default. */
export interface PostgresBusOptions extends ConnectionOptions {
  /**
   * The name of the channel of NOTIFY, at most 63 bytes. Programs that share a channel ignore each
   * other's messages if their prefixes differ. Default: `"cacheme"`.
   */
  readonly channel?: string | undefined;
}

/** The checked {@link PostgresBusOptions}, in milliseconds. */
export interface BusSettings extends ConnectionSettings {
  readonly channel: string;
}

/** The longest name in bytes. The server cuts a longer one in LISTEN, and refuses it in NOTIFY. */
const longestChannel = 63;

const channel = optionKind(
  `a string of 1 to ${longestChannel} bytes`,
  (value): value is string =>
    typeof value === "string" &&
    value !== "" &&
    !value.includes("\0") &&
    Buffer.byteLength(value) <= longestChannel,
);

const optionTable = new OptionTable("postgresBus()", {
  ...connectionRows,
  channel: { kind: channel, default: "cacheme" },
});

/** @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION` */
export function busSettings(options: PostgresBusOptions): BusSettings {
  return optionTable.check(options);
}
