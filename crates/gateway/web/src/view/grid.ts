// How many columns show a number of pictures largest.

export const GAP = 10;

/** Cameras give 16:9. Cutting a little off the sides makes pictures larger where the window is not as wide as that. */
const RATIO_MAX = 16 / 9;
const RATIO_MIN = 4 / 3;
/** The same in a window that is higher than wide, such as a telephone held upright. */
const RATIO_MIN_UPRIGHT = 1;

export interface Size {
  width: number;
  height: number;
}

/** The size of each of `count` tiles, in whole pixels, so that they fill the space with the largest pictures. */
export function tileSize(count: number, space: Size): Size {
  const ratioMin = space.width > space.height ? RATIO_MIN : RATIO_MIN_UPRIGHT;
  let best: Size = { width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const free = {
      width: (space.width - GAP * (columns - 1)) / columns,
      height: (space.height - GAP * (rows - 1)) / rows,
    };
    const width = Math.min(free.width, free.height * RATIO_MAX);
    const height = Math.min(free.height, width / ratioMin);
    if (width * height > best.width * best.height) best = { width, height };
  }
  return { width: Math.max(0, Math.floor(best.width)), height: Math.max(0, Math.floor(best.height)) };
}
