/**
 * Colours as DICOM keeps them for display: PCS-Values, that is CIELab with the D50 white point of an ICC profile connection
 * space, each scaled to 16 bits (PS3.3 C.10.7.1.1).
 */
export type Rgb = readonly [number, number, number];
export type Lab16 = readonly [number, number, number];

/** Linear sRGB to XYZ, adapted to D50 (Bradford), and the white point itself: the sums of its rows. */
const TO_XYZ = [
  [0.4360747, 0.3850649, 0.1430804],
  [0.2225045, 0.7168786, 0.0606169],
  [0.0139322, 0.0971045, 0.7141733],
] as const;
const FROM_XYZ = [
  [3.1338561, -1.6168667, -0.4906146],
  [-0.9787684, 1.9161415, 0.033454],
  [0.0719453, -0.2289914, 1.4052427],
] as const;
const WHITE = TO_XYZ.map((row) => row[0] + row[1] + row[2]);

const MAX16 = 65535;
const L_RANGE = 100;
const AB_RANGE = 255;
const AB_LOW = -128;
const EPSILON = 216 / 24389;
const KAPPA = 24389 / 27;

const clamp = (value: number, high: number): number => Math.min(Math.max(Math.round(value), 0), high);
const linear = (c: number): number => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const gamma = (c: number): number => (c <= 0.0031308 ? c * 12.92 : 1.055 * Math.max(c, 0) ** (1 / 2.4) - 0.055);
const f = (t: number): number => (t > EPSILON ? Math.cbrt(t) : (KAPPA * t + 16) / 116);
const fInverse = (t: number): number => (t ** 3 > EPSILON ? t ** 3 : (116 * t - 16) / KAPPA);

/** sRGB 0..255 to Recommended Display CIELab Value. */
export function rgbToLab16(rgb: Rgb): Lab16 {
  const [r, g, b] = rgb.map((channel) => linear(Math.min(Math.max(channel, 0), 255) / 255)) as [number, number, number];
  const [x, y, z] = TO_XYZ.map((row, n) => f((row[0] * r + row[1] * g + row[2] * b) / WHITE[n])) as [
    number,
    number,
    number,
  ];
  const scaled = (value: number): number => clamp(((value - AB_LOW) / AB_RANGE) * MAX16, MAX16);
  return [clamp(((116 * y - 16) / L_RANGE) * MAX16, MAX16), scaled(500 * (x - y)), scaled(200 * (y - z))];
}

/** Recommended Display CIELab Value to sRGB 0..255; colours outside sRGB are clipped. */
export function lab16ToRgb(lab: Lab16): Rgb {
  const y = ((lab[0] / MAX16) * L_RANGE + 16) / 116;
  const x = y + ((lab[1] / MAX16) * AB_RANGE + AB_LOW) / 500;
  const z = y - ((lab[2] / MAX16) * AB_RANGE + AB_LOW) / 200;
  const xyz = [x, y, z].map((t, n) => fInverse(t) * WHITE[n]);
  const rgb = FROM_XYZ.map((row) => clamp(gamma(row[0] * xyz[0] + row[1] * xyz[1] + row[2] * xyz[2]) * 255, 255));
  return rgb as unknown as Rgb;
}
