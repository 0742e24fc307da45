/** Words that go with numbers. */

/** `1 pair`, `2 pairs`. */
export function counted(count: number, one: string, other = `${one}s`): string {
	return `${count} ${count === 1 ? one : other}`;
}
