// How many columns show a number of pictures largest.

const RATIO = 16 / 9;
const GAP = 12;

export interface Layout {
  columns: number;
  /** Of one tile, in pixels. */
  width: number;
  height: number;
}

/** Tiles are between 16:9 and 4:5, so that a telephone held upright is filled too. */
export function layout(count: number, width: number, height: number): Layout {
  let best: Layout = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const free = { width: (width - GAP * (columns - 1)) / columns, height: (height - GAP * (rows - 1)) / rows };
    const fitted = { width: Math.min(free.width, free.height * RATIO), height: 0 };
    fitted.height = Math.min(free.height, fitted.width / 0.8);
    if (fitted.width > free.height * RATIO - 1) fitted.height = free.height;
    const area = (tile: { width: number; height: number }): number => tile.width * Math.min(tile.height, tile.width / 1.2);
    if (area(fitted) > area(best)) best = { columns, ...fitted };
  }
  return { columns: best.columns, width: Math.floor(best.width), height: Math.floor(best.height) };
}
