// Somebody to look at: runs in the page before its own script and puts a drawn person in the place of the camera. For the
// picture in the documentation; Chromium's fake camera shows a green disk.
export function portrait({ skin, hair, long, shirt, wall, bow }) {
  const canvas = Object.assign(document.createElement('canvas'), { width: 960, height: 540 });
  const pen = canvas.getContext('2d');
  const disk = (x, y, rx, ry, color) => {
    pen.fillStyle = color;
    pen.beginPath();
    pen.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
    pen.fill();
  };
  const draw = () => {
    const t = performance.now() / 1000;
    const [x, y] = [480 + 14 * Math.sin(t * 0.9), 262 + 6 * Math.sin(t * 1.7)];
    const light = pen.createLinearGradient(0, 0, 960, 540);
    light.addColorStop(0, wall[0]);
    light.addColorStop(1, wall[1]);
    pen.fillStyle = light;
    pen.fillRect(0, 0, 960, 540);
    pen.fillStyle = 'rgb(255 255 255 / 14%)';
    pen.fillRect(96, 70, 150, 200);
    pen.fillRect(760, 110, 120, 90);
    disk(480, 590, 250, 190, shirt);
    disk(x, y - 28, 172, 160, hair);
    if (long) {
      disk(x - 130, y + 56, 60, 76, hair);
      disk(x + 130, y + 56, 60, 76, hair);
    }
    disk(480, 400, 40, 44, skin);
    pen.fillStyle = skin;
    pen.fillRect(440, y + 90, 80, 400 - y - 90);
    disk(x, y + 18, 124, 134, skin);
    disk(x, y - 78, 118, 56, hair);
    if (bow) {
      disk(x - 36, y - 176, 40, 26, bow);
      disk(x + 36, y - 176, 40, 26, bow);
      disk(x, y - 174, 17, 17, bow);
    }
    const open = Math.sin(t * 2.3) > -0.97 ? 15 : 2;
    disk(x - 46, y + 14, 10, open, '#2a2220');
    disk(x + 46, y + 14, 10, open, '#2a2220');
    disk(x, y + 44, 11, 9, 'rgb(0 0 0 / 14%)');
    disk(x, y + 88, 34, 6 + 12 * Math.abs(Math.sin(t * 5)), '#9c3b3b');
  };
  draw();
  setInterval(draw, 1000 / 20);
  const { mediaDevices } = navigator;
  const getUserMedia = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (constraints) => {
    const audio = await getUserMedia({ audio: constraints.audio ?? true });
    const tracks = [];
    if (constraints.audio) tracks.push(...audio.getAudioTracks());
    if (constraints.video) tracks.push(...canvas.captureStream(20).getVideoTracks());
    return new MediaStream(tracks);
  };
}
