// Shows where to choose a room, or enters the one in the address.
import * as address from './address';
import { Call } from './call';
import { expose } from './debug';
import { RequestError } from './signal';
import { notify } from './view/notice';
import { type Entry, showStart } from './view/start';
import { Stage } from './view/stage';

const root = document.querySelector<HTMLElement>('#app') as HTMLElement;

function start(problem?: string): void {
  document.title = 'Mafalda';
  const at = address.read(location);
  showStart(root, { room: at.room, name: at.name || recall(), problem }, (entry) => enter(entry));
}

async function enter({ room, name, watch }: Entry): Promise<void> {
  const at = address.read(location);
  remember(name);
  if (room !== at.room) history.pushState(null, '', address.inside(room, at.token));
  let stage: Stage | undefined;
  const call = new Call(
    { ...at, room, name },
    {
      onNotice: notify,
      onChange: () => {
        stage?.render();
        if (call.state === 'ended') leave(stage);
      },
    },
  );
  stage = new Stage(root, call);
  expose(call);
  document.title = `${room} · Mafalda`;
  try {
    await call.start(!watch);
  } catch (error) {
    call.leave();
    start(explain(error));
  }
}

/** Back to where one chooses, without `join`, so that a reload doesn't enter again. */
function leave(stage: Stage | undefined): void {
  if (!stage?.remove()) return;
  const at = address.read(location);
  history.replaceState(null, '', address.inside(at.room, at.token));
  start();
}

function explain(error: unknown): string {
  if (!(error instanceof RequestError)) return `This browser can’t join: ${error instanceof Error ? error.message : error}`;
  if (error.code === 'wrongToken') return 'This link isn’t valid any more. Ask for a new one: it ends with a token.';
  return error.message;
}

/** Storage may be forbidden; then the name is typed anew. */
function remember(name: string): void {
  try {
    localStorage.setItem('name', name);
  } catch {}
}

function recall(): string {
  try {
    return localStorage.getItem('name') ?? '';
  } catch {
    return '';
  }
}

window.addEventListener('popstate', () => location.reload());
const at = address.read(location);
if (at.join && at.room) void enter({ room: at.room, name: at.name || recall() || 'Guest', watch: false });
else start();
