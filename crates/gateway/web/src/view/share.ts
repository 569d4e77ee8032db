// Gives somebody the link to the room, or another text.
import { notify } from './notice';

export function copyLink(link: string): Promise<void> {
  return copy(link, 'Link copied. Whoever opens it enters this room.');
}

/** Copies it and says so; where the clipboard is out of reach (insecure pages), shows it to be copied by hand. */
export async function copy(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify(done);
  } catch {
    window.prompt('Copy this:', text);
  }
}
