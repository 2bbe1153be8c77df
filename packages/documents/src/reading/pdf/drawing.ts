import { type Matrix, multiply } from './matrix.js';
import type { PdfOperators } from './open.js';

/** A straight line along the page or across it, in points, y growing downwards from the top of the page as shown. */
export interface Ruling {
  readonly horizontal: boolean;
  /** y of a horizontal line, x of a vertical one. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/** Operations of PDF.js (`OPS`, `DrawOPS`). */
const save = 10;
const restore = 11;
const transform = 12;
const stroke = new Set([20, 21, 24, 25, 26, 27]);
const fill = new Set([22, 23, 24, 25, 26, 27]);
const formBegin = 74;
const formEnd = 75;
const constructPath = 91;
const moveTo = 0;
const lineTo = 1;
const curveTo = 2;

/** A filled shape thinner than this, in points, is a line. */
const thinPoints = 2.2;
/** More lines than this are a drawing or a map, and no table. */
const maximumRulings = 6000;

/** The straight lines of a page, as it is shown. `toPage` is the transform of the page's viewport. */
export function rulingsOf({ fnArray, argsArray }: PdfOperators, toPage: Matrix): Ruling[] {
  const rulings: Ruling[] = [];
  const stack: Matrix[] = [];
  let matrix: Matrix = toPage;
  for (let index = 0; index < fnArray.length; index++) {
    const operation = fnArray[index] as number;
    if (operation === save) stack.push(matrix);
    else if (operation === restore) matrix = stack.pop() ?? toPage;
    else if (operation === transform) matrix = multiply(matrix, argsArray[index] as Matrix);
    else if (operation === formBegin) {
      stack.push(matrix);
      const own = (argsArray[index] as readonly unknown[] | null)?.[0];
      if (isMatrix(own)) matrix = multiply(matrix, own);
    } else if (operation === formEnd) matrix = stack.pop() ?? toPage;
    else if (operation === constructPath && rulings.length < maximumRulings) {
      const [paint, data] = argsArray[index] as [number, readonly [ArrayLike<number> | undefined]];
      const path = data?.[0];
      if (!path || !(stroke.has(paint) || fill.has(paint))) continue;
      for (const points of subpaths(path, matrix)) addLines(rulings, points, stroke.has(paint));
    }
  }
  return rulings;
}

function isMatrix(value: unknown): value is Matrix {
  return (Array.isArray(value) || ArrayBuffer.isView(value)) && (value as ArrayLike<number>).length === 6;
}

type Point = readonly [x: number, y: number];

/** The corners of the parts of a path; parts with curves are left out. */
function* subpaths(path: ArrayLike<number>, matrix: Matrix): Iterable<Point[]> {
  let points: Point[] = [];
  let curved = false;
  for (let at = 0; at < path.length; ) {
    const step = path[at++];
    if (step === curveTo) {
      curved = true;
      at += 6;
    } else if (step === moveTo || step === lineTo) {
      if (step === moveTo) {
        if (points.length > 1 && !curved) yield points;
        points = [];
        curved = false;
      }
      const [x, y] = [path[at++] as number, path[at++] as number];
      points.push([matrix[0] * x + matrix[2] * y + matrix[4], matrix[1] * x + matrix[3] * y + matrix[5]]);
    } else if (points.length > 1) points.push(points[0] as Point);
  }
  if (points.length > 1 && !curved) yield points;
}

function addLines(rulings: Ruling[], points: readonly Point[], isStroked: boolean): void {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  if (bottom - top <= thinPoints && right - left > thinPoints * 2) {
    rulings.push({ horizontal: true, at: (top + bottom) / 2, from: left, to: right });
  } else if (right - left <= thinPoints && bottom - top > thinPoints * 2) {
    rulings.push({ horizontal: false, at: (left + right) / 2, from: top, to: bottom });
  } else if (isStroked) {
    points.forEach(([x, y], index) => {
      const [lastX, lastY] = points[index - 1] ?? [x, y];
      if (Math.abs(y - lastY) < 0.5 && Math.abs(x - lastX) > thinPoints) {
        rulings.push({ horizontal: true, at: y, from: Math.min(x, lastX), to: Math.max(x, lastX) });
      } else if (Math.abs(x - lastX) < 0.5 && Math.abs(y - lastY) > thinPoints) {
        rulings.push({ horizontal: false, at: x, from: Math.min(y, lastY), to: Math.max(y, lastY) });
      }
    });
  }
}

/** More shapes than this are letters or a drawing; fewer are lines and frames of a page that was left blank. */
const framesAtMost = 50;

/**
 * Whether a page without text shows a picture. Images are left out of the operations because they are not decoded; what stays is
 * that a place was made for them (`cm`) in which nothing is drawn.
 */
export function showsPicture({ fnArray }: Pick<PdfOperators, 'fnArray'>): boolean {
  let placeIsEmpty = false;
  let paths = 0;
  for (const operation of fnArray) {
    if (operation === transform) placeIsEmpty = true;
    else if (operation === constructPath) {
      placeIsEmpty = false;
      paths++;
    } else if (operation === restore && placeIsEmpty) return true;
  }
  return paths > framesAtMost;
}
