/** Reads as much of an ONNX file as is needed to say how it is made: a small protobuf reader, for tests. */

type Field = { readonly id: number; readonly value: bigint } | { readonly id: number; readonly bytes: Buffer };

function varint(bytes: Buffer, at: number): [bigint, number] {
	let value = 0n;
	for (let shift = 0n; ; shift += 7n) {
		const byte = bytes[at++];
		if (byte === undefined) throw new Error('the file ends within a number');
		value |= BigInt(byte & 127) << shift;
		if (byte < 128) return [value, at];
	}
}

function fields(bytes: Buffer): Field[] {
	const found: Field[] = [];
	for (let at = 0; at < bytes.length;) {
		const [key, next] = varint(bytes, at);
		const id = Number(key >> 3n);
		switch (Number(key & 7n)) {
			case 0: {
				const [value, end] = varint(bytes, next);
				found.push({ id, value });
				at = end;
				break;
			}
			case 2: {
				const [length, start] = varint(bytes, next);
				at = start + Number(length);
				if (at > bytes.length) throw new Error('the file ends within a field');
				found.push({ id, bytes: bytes.subarray(start, at) });
				break;
			}
			case 1:
				at = next + 8;
				break;
			case 5:
				at = next + 4;
				break;
			default:
				throw new Error('not a protobuf file');
		}
	}
	return found;
}

const all = (message: readonly Field[], id: number): Buffer[] =>
	message.flatMap((f) => (f.id === id && 'bytes' in f ? [f.bytes] : []));
const text = (message: readonly Field[], id: number): string => all(message, id)[0]?.toString('utf8') ?? '';
const number = (message: readonly Field[], id: number): number => {
	const field = message.find((f) => f.id === id);
	return field && 'value' in field ? Number(BigInt.asIntN(64, field.value)) : 0;
};

/** Repeated numbers, packed or not. */
function numbers(message: readonly Field[], id: number): number[] {
	return message.flatMap((f) => {
		if (f.id !== id) return [];
		if ('value' in f) return [Number(f.value)];
		const values: number[] = [];
		for (let at = 0; at < f.bytes.length;) {
			const [value, next] = varint(f.bytes, at);
			values.push(Number(value));
			at = next;
		}
		return values;
	});
}

/** Element types of tensors. */
export const FLOAT = 1;
/** See {@link FLOAT}. */
export const FLOAT16 = 10;

/** A stored tensor. */
export interface OnnxTensor {
	readonly name: string;
	readonly dims: readonly number[];
	readonly type: number;
}

/** An operation. */
export interface OnnxNode {
	readonly op: string;
	readonly name: string;
	readonly inputs: readonly string[];
	readonly outputs: readonly string[];
	/** Whole-number attributes. */
	readonly attributes: Readonly<Record<string, number>>;
}

/** Inputs or outputs by name: their dimensions, numbers or names. */
export type OnnxPorts = Readonly<Record<string, readonly (number | string)[]>>;

/** What a file says. */
export interface OnnxFile {
	/** Version of the default operator set. */
	readonly opset: number;
	readonly metadata: Readonly<Record<string, string>>;
	readonly nodes: readonly OnnxNode[];
	readonly tensors: readonly OnnxTensor[];
	readonly inputs: OnnxPorts;
	readonly outputs: OnnxPorts;
}

function port(bytes: Buffer): [string, (number | string)[]] {
	const info = fields(bytes);
	const inner = (message: readonly Field[], id: number): Field[] => fields(all(message, id)[0] ?? Buffer.alloc(0));
	const shape = inner(inner(inner(info, 2), 1), 2);
	const dims = all(shape, 1).map((dim) => {
		const d = fields(dim);
		return text(d, 2) || number(d, 1);
	});
	return [text(info, 1), dims];
}

function node(bytes: Buffer): OnnxNode {
	const n = fields(bytes);
	const strings = (id: number): string[] => all(n, id).map((s) => s.toString('utf8'));
	const attributes = all(n, 5).map(fields);
	return {
		op: text(n, 4),
		name: text(n, 3),
		inputs: strings(1),
		outputs: strings(2),
		attributes: Object.fromEntries(attributes.map((a) => [text(a, 1), number(a, 3)])),
	};
}

function tensor(bytes: Buffer): OnnxTensor {
	const t = fields(bytes);
	return { name: text(t, 8), dims: numbers(t, 1), type: number(t, 2) };
}

/** Reads a file. Throws where it is no ONNX file. */
export function readOnnx(bytes: Buffer): OnnxFile {
	const model = fields(bytes);
	const graph = fields(all(model, 7)[0] ?? Buffer.alloc(0));
	const sets = all(model, 8).map(fields);
	const own = sets.find((set) => ['', 'ai.onnx'].includes(text(set, 1)));
	return {
		opset: own ? number(own, 2) : 0,
		metadata: Object.fromEntries(all(model, 14).map((m) => [text(fields(m), 1), text(fields(m), 2)])),
		nodes: all(graph, 1).map(node),
		tensors: all(graph, 5).map(tensor),
		inputs: Object.fromEntries(all(graph, 11).map(port)),
		outputs: Object.fromEntries(all(graph, 12).map(port)),
	};
}
