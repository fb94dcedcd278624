import { randomUUID } from 'node:crypto';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { notFound } from './api-error.ts';
import type { Route } from './api-server.ts';
import { newFormation } from './formation.ts';
import { createRelease } from './releases.ts';
import { findApp, type App, type Platform, type Release, type Slug } from './state.ts';

/** A folder that is to be deployed, and the commit that it stands for. */
export interface SlugSource {
  readonly dir: string;
  readonly commit: string;
}

/** Keeps a copy of the folder: what is changed in it afterwards is not deployed. */
export async function buildSlug(platform: Platform, source: SlugSource): Promise<Slug> {
  const id = randomUUID();
  const dir = join(platform.workDir, 'slugs', id);
  await cp(source.dir, dir, { recursive: true });
  const procfile = await readFile(join(dir, 'Procfile'), 'utf8').catch(() => '');
  const processTypes: Record<string, string> = {};
  for (const line of procfile.split('\n')) {
    const match = /^([A-Za-z0-9_-]+):\s*(.+?)\s*$/.exec(line);
    if (match) processTypes[match[1] as string] = match[2] as string;
  }
  const slug: Slug = { id, commit: source.commit, dir, processTypes, createdAt: new Date() };
  platform.slugs.set(id, slug);
  return slug;
}

/** A new slug and its release. Answers when the release is no longer pending. */
export async function deploySlug(platform: Platform, app: App, source: SlugSource): Promise<Release> {
  const slug = await buildSlug(platform, source);
  for (const type of Object.keys(slug.processTypes)) {
    if (app.formation.has(type)) continue;
    // Process types other than `web` start at zero [docs].
    const quantity = type === 'web' ? 1 : 0;
    app.formation.set(type, newFormation(type, quantity));
  }
  const description = `Deploy ${source.commit.slice(0, 8)}`;
  const release = createRelease(platform, app, { description, by: 'user', slug });
  await release.settled;
  return release;
}

export function slugRoutes(platform: Platform): Route[] {
  return [
    {
      method: 'GET',
      path: '/apps/:app/slugs/:slug',
      handle: ({ params }) => {
        const app = findApp(platform, params.app as string);
        const slug = platform.slugs.get(params.slug as string);
        // A slug is found only through the app whose release it is.
        if (!slug || !app.releases.some((release) => release.slug === slug)) {
          throw notFound('slug', "Couldn't find that slug.");
        }
        return { status: 200, body: presentSlug(slug) };
      },
    },
  ];
}

function presentSlug(slug: Slug): Record<string, unknown> {
  const at = slug.createdAt.toISOString();
  return {
    id: slug.id,
    commit: slug.commit,
    commit_description: null,
    process_types: slug.processTypes,
    buildpack_provided_description: 'Python',
    checksum: null,
    size: null,
    stack: { name: 'heroku-24' },
    created_at: at,
    updated_at: at,
  };
}
