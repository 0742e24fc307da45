import { expect, it } from 'vitest';
import { BufferPool } from './buffers.ts';

it('gives the same buffer out again, of the right size only', () => {
	const pool = new BufferPool();
	const first = pool.take(8);
	expect(first.byteLength).toBe(8);
	pool.give(first);
	pool.give(new ArrayBuffer(9));
	expect(pool.take(8)).toBe(first);
	expect(pool.take(8)).not.toBe(first);
	pool.give(first);
	expect(pool.take(9).byteLength).toBe(9);
});

it('drops what was transferred, and keeps no more than its bounds', () => {
	const pool = new BufferPool();
	const gone = pool.take(16);
	structuredClone(gone, { transfer: [gone] });
	pool.give(gone);
	expect(pool.take(16).byteLength).toBe(16);
	const large = [0, 1, 2].map(() => new ArrayBuffer(30 << 20));
	large.forEach((buffer) => {
		pool.give(buffer);
	});
	expect([0, 1, 2].map(() => large.includes(pool.take(30 << 20)))).toEqual([true, true, false]);
	pool.give(large[0]!);
	pool.clear();
	expect(pool.take(30 << 20)).not.toBe(large[0]);
});
