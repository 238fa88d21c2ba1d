/** A code's lines with their numbers, as findings name them. */
export function numberLines(code: string): string {
  const lines = code.trimEnd().split('\n');
  const columns = String(lines.length).length;
  return lines.map((line, n) => `${String(n + 1).padStart(columns)}  ${line}`.trimEnd()).join('\n');
}
