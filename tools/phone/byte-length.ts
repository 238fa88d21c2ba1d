/** UTF-8 size of a text, in bytes. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
