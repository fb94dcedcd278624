import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { GithubError, type Answer, type Call } from './protocol.ts';
import type { RepositoryOptions } from './repository.ts';

const DOCUMENTATION = 'repos/contents#get-repository-content';
const RAW = 'application/vnd.github.raw+json; charset=utf-8';

/**
 * A file of the repository at a commit: in base64, or as it is for whoever accepts `application/vnd.github.raw+json`. A
 * folder is listed. 404 for a file or a commit that is not there. [docs] REST, get repository content
 */
export async function readContents(call: Call, options: RepositoryOptions, commit: string): Promise<Answer> {
  const folder = options.contents?.(commit);
  // [docs] The words for a ref that does not resolve.
  if (folder === undefined) throw new GithubError(404, `No commit found for the ref ${commit}`, DOCUMENTATION);
  const path = (call.params['path'] ?? '').replace(/\/+$/, '');
  const file = await placeOf(folder, path);
  if (file === undefined) throw new GithubError(404, 'Not Found', DOCUMENTATION);

  const describe = async (below: string): Promise<Record<string, unknown>> => {
    const found = await stat(join(folder, below));
    const address = `${options.fullName}/contents/${below}?ref=${commit}`;
    const url = `${call.base}/repos/${address}`;
    const type = found.isDirectory() ? 'dir' : 'file';
    return {
      type,
      name: basename(below),
      path: below,
      size: type === 'dir' ? 0 : found.size,
      url,
      _links: { self: url },
    };
  };
  if ((await stat(file)).isDirectory()) {
    const names = (await readdir(file)).sort();
    return { status: 200, body: await Promise.all(names.map((name) => describe(`${path}/${name}`))) };
  }
  const content = await readFile(file);
  if (/application\/vnd\.github(\.v3)?\.raw(\+json)?/.test(call.accept)) {
    return { status: 200, headers: { 'content-type': RAW }, body: content };
  }
  const sha = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
  // [docs, the examples] Broken into lines: a client that decodes base64 strictly is found out.
  const lines = content.toString('base64').replace(/.{1,60}/g, '$&\n');
  return { status: 200, body: { ...(await describe(path)), sha, encoding: 'base64', content: lines } };
}

/** Undefined when there is nothing at the path, or when it leads out of the folder. */
async function placeOf(folder: string, path: string): Promise<string | undefined> {
  const root = await realpath(folder);
  const file = await realpath(join(folder, path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  return file === root || file?.startsWith(root + sep) ? file : undefined;
}
