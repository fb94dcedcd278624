import type { FrameLocator, Locator, Page } from 'playwright-core';

/** Milliseconds for a run to come to where a person waits for it. */
const runLimitMs = 90_000;
/** Milliseconds after which a person asks the page anew. */
const patienceMs = 2_000;

export type Message = Readonly<Record<string, unknown>>;
export type Door = 'Send a Signal' | 'Send an Update';
/** A worker says which names there are; while none is up, the page has no list of them. */
type Naming = 'listed' | 'typed';

/** A run's page in Temporal's Web UI, used as a person uses it: by what is written on it. */
export interface RunPage {
  readonly page: Page;
  /** The panel *Current Details* of *User Metadata*, which the Web UI renders in a frame of its own. */
  readonly details: FrameLocator;
  /** Waits until the panel shows a text, and asks for it anew as the page itself says how: with the key R. */
  untilItShows(text: string | RegExp): Promise<void>;
  /** The message in the panel's code block. */
  askedFor(): Promise<Message>;
  /** Opens one of the dialogues of *More Actions* and fills it in, in lines as the panel has it; not yet submitted. */
  fillIn(door: Door, name: string, message: Message, how?: Naming): Promise<Locator>;
  /** Submits a dialogue that is then closed by the page: the server has taken the message. */
  send(door: Door, name: string, message: Message, how?: Naming): Promise<void>;
}

/** Opens the page of a workflow at its tab *User Metadata*. */
export async function openRun(page: Page, uiUrl: string, workflowId: string): Promise<RunPage> {
  await page.goto(`${uiUrl}/namespaces/default/workflows/${workflowId}`);
  await page.getByRole('tab', { name: 'User Metadata' }).click();
  await page.getByRole('heading', { name: 'Current Details' }).waitFor();
  const details = page.frameLocator('iframe');

  const fillIn = async (door: Door, name: string, message: Message, how: Naming = 'listed'): Promise<Locator> => {
    await page.getByRole('button', { name: 'More Actions' }).click();
    await page.getByRole('menuitem', { name: door }).click();
    const dialog = page.getByRole('dialog', { name: door });
    if (how === 'listed') {
      await dialog.getByRole('button', { name: /^Select an? (signal|update)$/i }).click();
      await dialog.getByRole('option', { name: new RegExp(`^${name}\\b`) }).click();
    } else await dialog.getByRole('textbox').first().fill(name);
    await dialog.getByRole('textbox').and(page.locator('[aria-multiline]')).click();
    await page.keyboard.insertText(JSON.stringify(message, null, 2));
    return dialog;
  };
  return {
    page,
    details,
    async untilItShows(text) {
      for (const deadline = Date.now() + runLimitMs; ;) {
        const shown = details.getByText(text).first().waitFor({ timeout: patienceMs });
        const seen = await shown.then(
          () => true,
          () => false,
        );
        if (seen) return;
        if (Date.now() > deadline) {
          throw new Error(`the page does not show ${String(text)}: ${await details.locator('body').innerText()}`);
        }
        await page.keyboard.press('r');
      }
    },
    askedFor: async () => JSON.parse(await details.locator('pre code').innerText()) as Message,
    fillIn,
    async send(door, name, message, how) {
      const dialog = await fillIn(door, name, message, how);
      await dialog.getByRole('button', { name: 'Submit' }).click();
      await dialog.waitFor({ state: 'hidden' });
    },
  };
}
