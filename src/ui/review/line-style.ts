/** How versions are told apart: a color and a dash each, so that either is enough. */

/** Colors of equal lightness on the neutral panel, apart for the color-blind as well (after Okabe and Ito); the accent is not among them. */
export const LINE_STYLES = [
	{ color: '#78b7e4', dash: '' },
	{ color: '#ee9a86', dash: '7 3' },
	{ color: '#93cc9c', dash: '2 2.5' },
	{ color: '#cda9e6', dash: '9 3 2 3' },
] as const;

/** The style of the n-th version; a review has at most four. */
export function lineStyle(index: number): (typeof LINE_STYLES)[number] {
	return LINE_STYLES[index % LINE_STYLES.length]!;
}
