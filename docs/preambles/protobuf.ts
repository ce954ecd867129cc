// The code that a generator for protocol buffers creates for a message `User`.
export declare const protobuf: {
  User: {
    encode(value: unknown): { finish(): Uint8Array };
    decode(bytes: Uint8Array): unknown;
  };
};
