import type { FileEffects } from './file-effects.ts';
import type { Directory, File } from './file-system.ts';
import type { FileTree } from './file-tree.ts';
import type { EffectHost } from './host.ts';

/** What the files and directories of one launch stand on. */
export interface LaunchFiles {
  readonly host: EffectHost;
  readonly tree: FileTree;
  readonly effects: FileEffects;
  file(uri: string): File;
  directory(uri: string): Directory;
}
