import { describe, expect, it } from 'vitest';
import {
	CINEON,
	cineonReference,
	cineonTable,
	codeToDensity,
	codeToLinear,
	densityToCode,
	linearToCode,
	quantizeCode,
} from './cineon.ts';

describe('Cineon log', () => {
	it('places the reference points where Kodak put them', () => {
		expect(codeToDensity(95)).toBe(0);
		expect(codeToDensity(685)).toBeCloseTo(1.18, 12);
		expect(codeToLinear(685)).toBeCloseTo(1, 12);
		expect(codeToLinear(95)).toBeCloseTo(0, 12);
		// One stop is log10(2) · 0.6 / 0.002 = 90 codes, a little more near black.
		expect(linearToCode(0.5) - linearToCode(0.25)).toBeCloseTo(90, -1);
		expect(codeToLinear(1023)).toBeGreaterThan(13);
		expect(codeToLinear(0)).toBeLessThan(0);
	});

	const references = [CINEON, cineonReference({ black: 64, white: 700, densityPerCode: 0.0025, gamma: 0.55 })];
	it.each([10, 12, 16])('gives every code of %i bit back, through density and through float32 light', (bits) => {
		for (const reference of references) {
			for (let code = 0; code < 2 ** bits; code++) {
				const density = Math.fround(codeToDensity(code, bits, reference));
				expect(quantizeCode(densityToCode(density, bits, reference), bits)).toBe(code);
				const light = Math.fround(codeToLinear(code, bits, reference));
				if (quantizeCode(linearToCode(light, bits, reference), bits) !== code)
					expect.fail(`code ${code} of ${bits} bit`);
			}
		}
	});

	it('clamps light that no code stands for', () => {
		expect(quantizeCode(linearToCode(-1))).toBe(0);
		expect(quantizeCode(linearToCode(1e6))).toBe(1023);
		expect(quantizeCode(Number.NaN)).toBe(0);
	});

	it('makes tables that rise', () => {
		const table = cineonTable(12);
		expect(table.length).toBe(4096);
		for (let i = 1; i < table.length; i++) expect(table[i]).toBeGreaterThan(table[i - 1]!);
	});

	it('refuses references that make no sense, by name', () => {
		expect(() => cineonReference({ black: 700 })).toThrow(/black/);
		expect(() => cineonReference({ white: 2000 })).toThrow(/white/);
		expect(() => cineonReference({ densityPerCode: 0 })).toThrow(/densityPerCode/);
		expect(() => cineonReference({ gamma: Number.NaN })).toThrow(/gamma/);
	});
});
