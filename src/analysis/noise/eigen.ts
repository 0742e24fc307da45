/** Eigenvalues of a small symmetric matrix by cyclic Jacobi rotations (Golub & Van Loan, Matrix Computations, 8.5). */

const MAX_SWEEPS = 30;

/**
 * Eigenvalues in ascending order.
 * @param matrix row-major symmetric matrix of `size`², destroyed.
 */
export function symmetricEigenvalues(matrix: Float64Array, size: number): Float64Array {
	for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
		let off = 0;
		let diagonal = 0;
		for (let p = 0; p < size; p++) {
			diagonal += matrix[p * size + p]! ** 2;
			for (let q = p + 1; q < size; q++) off += matrix[p * size + q]! ** 2;
		}
		if (off <= 1e-20 * diagonal) break;
		for (let p = 0; p < size - 1; p++) for (let q = p + 1; q < size; q++) rotate(matrix, size, p, q);
	}
	return Float64Array.from({ length: size }, (_, i) => matrix[i * size + i]!).sort();
}

/** Zeroes the element (p, q). */
function rotate(m: Float64Array, n: number, p: number, q: number): void {
	const pq = m[p * n + q]!;
	if (pq === 0) return;
	const theta = (m[q * n + q]! - m[p * n + p]!) / (2 * pq);
	const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
	const c = 1 / Math.sqrt(t * t + 1);
	const s = t * c;
	for (let k = 0; k < n; k++) {
		const kp = m[k * n + p]!;
		const kq = m[k * n + q]!;
		m[k * n + p] = c * kp - s * kq;
		m[k * n + q] = s * kp + c * kq;
	}
	for (let k = 0; k < n; k++) {
		const pk = m[p * n + k]!;
		const qk = m[q * n + k]!;
		m[p * n + k] = c * pk - s * qk;
		m[q * n + k] = s * pk + c * qk;
	}
}
