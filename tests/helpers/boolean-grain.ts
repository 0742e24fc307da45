/**
 * The physical model of film grain as a reference: opaque disks scattered by a Poisson process whose density makes them cover the picture as
 * its level says (A. Newson, J. Delon, B. Galerne: A stochastic film grain model for resolution-independent rendering, 2017), seen through
 * a box of one pixel. Slow and exact; what is shipped is compared with it.
 */

/** Samples a pixel side. */
const FINE = 6;

/** Reproducible uniform numbers in 0…1 (xorshift). */
export function uniforms(seed: number): () => number {
	let state = (seed * 2654435761) >>> 0 || 1;
	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return ((state >>> 0) + 0.5) / 4294967296;
	};
}

/** Stock: radius of the grains in pixels, and their spread (standard deviation ÷ mean, log-normal). */
export interface Stock {
	readonly radius: number;
	readonly spread: number;
}

/** One channel of a flat picture of level 0…1. */
export function booleanGrain(level: number, stock: Stock, width: number, height: number, seed: number): Float32Array {
	const next = uniforms(seed);
	const normal = (): number => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
	const variance = Math.log(1 + stock.spread ** 2);
	const meanLog = Math.log(stock.radius) - variance / 2;
	const area = Math.PI * stock.radius ** 2 * (1 + stock.spread ** 2);
	const margin = 4 * stock.radius;
	const [w, h] = [width * FINE, height * FINE];
	const covered = new Uint8Array(w * h);
	const places = (width + 2 * margin) * (height + 2 * margin);
	const count = Math.round((-Math.log(1 - level) / area) * places);
	for (let g = 0; g < count; g++) {
		const x = (next() * (width + 2 * margin) - margin) * FINE;
		const y = (next() * (height + 2 * margin) - margin) * FINE;
		const r = Math.exp(meanLog + Math.sqrt(variance) * normal()) * FINE;
		for (let j = Math.max(0, Math.ceil(y - r)); j <= Math.min(h - 1, y + r); j++) {
			const half = Math.sqrt(Math.max(0, r * r - (j - y) ** 2));
			const [from, to] = [Math.max(0, Math.ceil(x - half)), Math.min(w - 1, Math.floor(x + half))];
			if (to >= from) covered.fill(1, j * w + from, j * w + to + 1);
		}
	}
	const out = new Float32Array(width * height);
	for (let j = 0; j < h; j++) {
		const row = Math.floor(j / FINE) * width;
		for (let i = 0; i < w; i++) out[row + Math.floor(i / FINE)]! += covered[j * w + i]! / (FINE * FINE);
	}
	return out;
}
