// Gives somebody the link to the room.
import { notify } from './notice';

/** Copies it; where the clipboard is out of reach (insecure pages), shows it to be copied by hand. */
export async function copyLink(link: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(link);
    notify('Link copied. Whoever opens it enters this room.');
  } catch {
    window.prompt('Copy this link:', link);
  }
}
