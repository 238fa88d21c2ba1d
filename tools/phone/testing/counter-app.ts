// Module state, to see whether a launch is fresh.
let count = 0;

export function add(): number {
  count += 1;
  return count;
}
