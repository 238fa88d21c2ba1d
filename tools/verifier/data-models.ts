// Whether the spec's data models are the contract's.
import { kataFiles } from '../course/kata-paths.ts';
import { type Finding, fails, holds } from './finding.ts';

const CLAIM = 'the data models of the spec are the contract';

/** Compares the spec's `ts` block with contract.ts, leaving out imports, comments and layout. */
export function checkDataModels(slug: string, dataModels: string | null, contract: string): Finding {
  const { spec, contract: file } = kataFiles(slug);
  if (dataModels === null) return fails(CLAIM, `${spec}: Data Models must hold one \`\`\`ts block.`);
  const [ours, theirs] = [tokens(dataModels), tokens(contract)];
  const at = ours.findIndex((token, n) => token !== theirs[n]);
  if (at < 0 && ours.length === theirs.length) return holds(CLAIM);
  const place = at < 0 ? ours.length : at;
  const around = (list: readonly string[]) => list.slice(Math.max(0, place - 4), place + 4).join(' ');
  return fails(CLAIM, `They part here: ${spec} has "${around(ours)}", ${file} has "${around(theirs)}".`);
}

/** The text's words and signs, without what a reader does not need. */
function tokens(text: string): string[] {
  const bare = text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '')
    .replace(/^import\b[^;]*;/gm, '');
  // A union may begin with a bar where it stands on several lines, and a list may end in a comma.
  return (bare.match(/[\w$]+|'[^']*'|[^\s\w]/g) ?? []).filter(
    (token, n, all) =>
      !(token === '|' && /^[=:(<]$/.test(all[n - 1] ?? '')) && !(token === ',' && /^[)\]}>]$/.test(all[n + 1] ?? '')),
  );
}
