import { randomUUID } from 'node:crypto';
import { badRequest, notFound } from './api-error.ts';
import type { Route } from './api-server.ts';
import { currentRelease, findApp, type App, type Formation, type Platform } from './state.ts';

export function formationRoutes(platform: Platform): Route[] {
  const list = (app: App): unknown[] => [...app.formation.values()].map((formation) => present(app, formation));
  return [
    {
      method: 'GET',
      path: '/apps/:app/formation',
      // Holds every process type of the Procfile, `release` too: `pg:promote` looks for it here [source].
      handle: ({ params }) => ({ status: 200, body: list(findApp(platform, params.app as string)) }),
    },
    {
      method: 'GET',
      path: '/apps/:app/formation/:type',
      handle: ({ params }) => {
        const app = findApp(platform, params.app as string);
        return { status: 200, body: present(app, find(app, params.type as string)) };
      },
    },
    {
      method: 'PATCH',
      path: '/apps/:app/formation',
      handle: ({ params, body }) => {
        const app = findApp(platform, params.app as string);
        if (!Array.isArray(body.updates)) throw badRequest('Invalid or missing parameter: updates.');
        const updates = body.updates.map((update) => checkedUpdate(app, update as Record<string, unknown>));
        for (const { formation, quantity, size } of updates) scale(formation, quantity, size);
        platform.dynos.fitFormation(app);
        return { status: 200, body: list(app) };
      },
    },
    {
      method: 'PATCH',
      path: '/apps/:app/formation/:type',
      handle: ({ params, body }) => {
        const app = findApp(platform, params.app as string);
        const { formation, quantity, size } = checkedUpdate(app, { ...body, type: params.type });
        scale(formation, quantity, size);
        platform.dynos.fitFormation(app);
        return { status: 200, body: present(app, formation) };
      },
    },
  ];
}

export function newFormation(type: string, quantity: number): Formation {
  const now = new Date();
  return { id: randomUUID(), type, quantity, size: 'Standard-1X', createdAt: now, updatedAt: now };
}

function find(app: App, type: string): Formation {
  const found = app.formation.get(type);
  if (!found) throw notFound('formation', "Couldn't find that process type.");
  return found;
}

function checkedUpdate(
  app: App,
  update: Record<string, unknown>,
): { formation: Formation; quantity: number; size: string } {
  const formation = find(app, String(update.type));
  return {
    formation,
    quantity: wantedQuantity(formation, update.quantity),
    size: typeof update.size === 'string' ? update.size : formation.size,
  };
}

/** A number, or the CLI's text of one: `"2"`, and `"+1"` or `"-1"` against what is there [source]. */
function wantedQuantity(formation: Formation, quantity: unknown): number {
  if (quantity === undefined) return formation.quantity;
  const text = String(quantity);
  if (!/^[+-]?\d+$/.test(text)) throw badRequest('Invalid quantity.');
  const wanted = /^[+-]/.test(text) ? formation.quantity + Number(text) : Number(text);
  if (wanted < 0 || wanted > 10) throw badRequest('Invalid quantity: from 0 to 10 is possible here.');
  return wanted;
}

function scale(formation: Formation, quantity: number, size: string): void {
  formation.quantity = quantity;
  formation.size = size;
  formation.updatedAt = new Date();
}

function present(app: App, formation: Formation): Record<string, unknown> {
  return {
    id: formation.id,
    type: formation.type,
    quantity: formation.quantity,
    size: formation.size,
    command: currentRelease(app)?.slug?.processTypes[formation.type] ?? null,
    app: { id: app.id, name: app.name },
    created_at: formation.createdAt.toISOString(),
    updated_at: formation.updatedAt.toISOString(),
  };
}
