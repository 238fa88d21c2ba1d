// What simulates, loaded module by module; see simulation-module.ts.
import { pathToFileURL } from 'node:url';
import { serveSimulations } from './simulation-child.ts';

serveSimulations(() => import(pathToFileURL(process.env.KATA_SCENARIO ?? '').href));
