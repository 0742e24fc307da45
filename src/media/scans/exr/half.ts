/** IEEE 754 half precision: exact to float32, rounded to nearest even from it. */

let table: Float32Array | undefined;

/** Value of every half, indexed by its bits (256 KiB, made at first use). */
export function halfTable(): Float32Array {
	table ??= Float32Array.from({ length: 65536 }, (_, bits) => halfValue(bits));
	return table;
}

function halfValue(bits: number): number {
	const sign = bits & 0x8000 ? -1 : 1;
	const exponent = (bits >> 10) & 0x1f;
	const fraction = bits & 0x3ff;
	if (exponent === 0) return sign * fraction * 2 ** -24;
	if (exponent === 31) return fraction ? NaN : sign * Infinity;
	return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Bits of the half nearest to a float32 given by its bits; ties go to even, 65520 and more to infinity, NaN stays NaN. */
export function halfBits(float: number): number {
	const sign = (float >>> 16) & 0x8000;
	const abs = float & 0x7fffffff;
	if (abs >= 0x47800000) return abs > 0x7f800000 ? sign | 0x7e00 : sign | 0x7c00;
	// A carry out of the fraction moves into the exponent, and from the largest half to infinity, as it should.
	if (abs >= 0x38800000) return sign | ((abs - 0x38000000 + 0xfff + ((abs >>> 13) & 1)) >>> 13);
	if (abs <= 0x33000000) return sign;
	const shift = 126 - (abs >>> 23);
	const fraction = (abs & 0x7fffff) | 0x800000;
	const kept = fraction >>> shift;
	const rest = fraction & ((1 << shift) - 1);
	const middle = 1 << (shift - 1);
	return sign | (rest > middle || (rest === middle && kept & 1) ? kept + 1 : kept);
}
