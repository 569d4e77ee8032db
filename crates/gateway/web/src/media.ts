// Camera and microphone, and plain words for when there is none.
import type { Height } from './address';
import type { Kind } from './protocol';

const AUDIO: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

const FRAME_RATE_MAX = 30;

function video(height: Height): MediaTrackConstraints {
  return {
    height: { ideal: height },
    width: { ideal: Math.round((height * 16) / 9) },
    frameRate: { ideal: FRAME_RATE_MAX, max: FRAME_RATE_MAX },
  };
}

export interface Opened {
  audio?: MediaStreamTrack;
  video?: MediaStreamTrack;
  /** What to tell the person, if something is missing. */
  problem?: string;
}

/** Opens both, or the one that there is. */
export async function openBoth(height: Height): Promise<Opened> {
  if (!navigator.mediaDevices?.getUserMedia) return { problem: explain(undefined, 'camera or microphone') };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: AUDIO, video: video(height) });
    return { audio: stream.getAudioTracks()[0], video: stream.getVideoTracks()[0] };
  } catch (error) {
    if (isRefusal(error)) return { problem: explain(error, 'camera and microphone') };
  }
  const [audio, picture] = await Promise.all([openOne('audio', height), openOne('video', height)]);
  const problems = [audio.problem, picture.problem].filter(Boolean);
  return { audio: audio.audio, video: picture.video, problem: problems.join(' ') || undefined };
}

export async function openOne(kind: Kind, height: Height): Promise<Opened> {
  const device = kind === 'audio' ? 'microphone' : 'camera';
  if (!navigator.mediaDevices?.getUserMedia) return { problem: explain(undefined, device) };
  try {
    const constraints = kind === 'audio' ? { audio: AUDIO } : { video: video(height) };
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    return { [kind]: stream.getTracks()[0] };
  } catch (error) {
    return { problem: explain(error, device) };
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof DOMException && ['NotAllowedError', 'SecurityError'].includes(error.name);
}

function explain(error: unknown, device: string): string {
  if (!window.isSecureContext) {
    return `Browsers give out a ${device} on secure pages only: open this page with https, or on the machine itself as http://127.0.0.1.`;
  }
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return `This page may not use your ${device}. To change that, click the icon beside the address.`;
    case 'NotFoundError':
    case 'OverconstrainedError':
      return `No ${device} was found.`;
    case 'NotReadableError':
    case 'AbortError':
      return `Your ${device} can’t be opened; perhaps another program is using it.`;
    default:
      return `Your ${device} can’t be used${error instanceof Error ? `: ${error.message}` : ' in this browser'}.`;
  }
}
