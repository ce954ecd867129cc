/** The mark of encrypted entries. */
export const encryptedCodec = 16;
