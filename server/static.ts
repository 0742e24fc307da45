/**
 * Serves the built app: files below a root, with cross-origin isolation, the strict CSP, MIME types and byte ranges.
 * Nothing else is reachable: no listing, no path outside the root, no other origin.
 */

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname, resolve, sep } from 'node:path';
import { SECURITY_HEADERS, transportSecurity } from './headers.ts';
import { parseRange } from './ranges.ts';

const MIME: Readonly<Record<string, string>> = {
	'.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.mjs': 'text/javascript; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.json': 'application/json; charset=utf-8',
	'.wasm': 'application/wasm',
	'.svg': 'image/svg+xml',
	'.png': 'image/png',
	'.md': 'text/plain; charset=utf-8',
	'.txt': 'text/plain; charset=utf-8',
};

/** Answers a request it recognizes and says so; others go on to the files. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<boolean>;

/** Options of {@link startStaticServer}. */
export interface StaticServerOptions {
	/** Folder to serve. */
	readonly root: string;
	/** 0 takes any free port. */
	readonly port: number;
	/** Default 127.0.0.1. */
	readonly host?: string;
	/** Asked before the files, in order. */
	readonly handlers?: readonly RequestHandler[];
	/** A balancer in front is trusted to say by X-Forwarded-Proto whether a request came by TLS. Default false. */
	readonly trustProxy?: boolean;
}

/** A running server. */
export interface StaticServer {
	/** Origin with a trailing slash. */
	readonly url: string;
	readonly port: number;
	/** Takes no more requests and ends. @param grace How long requests in flight may take to their end, ms (0). */
	close(grace?: number): Promise<void>;
}

/** Sends a file with range support. Resolves when the response has ended. */
export async function sendFile(
	request: IncomingMessage,
	response: ServerResponse,
	path: string,
	extra: Readonly<Record<string, string>> = {},
): Promise<void> {
	const { size } = await stat(path);
	const range = parseRange(request.headers.range, size);
	if (range === null) {
		response.writeHead(416, { ...extra, 'Content-Range': `bytes */${size}` }).end();
		return;
	}
	const { start, end } = range ?? { start: 0, end: size - 1 };
	response.writeHead(range ? 206 : 200, {
		...extra,
		'Content-Type': MIME[extname(path)] ?? 'application/octet-stream',
		'Content-Length': size === 0 ? 0 : end - start + 1,
		'Accept-Ranges': 'bytes',
		...(range ? { 'Content-Range': `bytes ${start}-${end}/${size}` } : {}),
	});
	if (request.method === 'HEAD' || size === 0) {
		response.end();
		return;
	}
	await new Promise<void>((done) => {
		const stream = createReadStream(path, { start, end });
		stream.on('error', () => response.destroy());
		response.on('close', () => {
			stream.destroy();
			done();
		});
		stream.pipe(response);
	});
}

const HEADERS = { ...SECURITY_HEADERS.isolation, ...SECURITY_HEADERS.policy };

async function serve(root: string, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
	if (request.method !== 'GET' && request.method !== 'HEAD') {
		response.writeHead(405, { ...HEADERS, Allow: 'GET, HEAD' }).end();
		return;
	}
	const name = decodeURIComponent(url.pathname);
	const path = resolve(root, `.${name.endsWith('/') ? `${name}index.html` : name}`);
	const info = path === root || path.startsWith(root + sep) ? await stat(path).catch(() => undefined) : undefined;
	if (!info?.isFile()) {
		response.writeHead(404, { ...HEADERS, 'Content-Type': 'text/plain' }).end('not found');
		return;
	}
	// Hashed assets never change; everything else is asked for again.
	const cache = name.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
	await sendFile(request, response, path, { ...HEADERS, 'Cache-Control': cache });
}

/** Only names of this machine are answered, so that a page elsewhere cannot reach the server by DNS rebinding. */
function isLocalHost(host: string | undefined): boolean {
	return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host ?? '');
}

/** Starts the server. Rejects with the system's error when the port is taken. */
export async function startStaticServer(options: StaticServerOptions): Promise<StaticServer> {
	const root = resolve(options.root);
	const host = options.host ?? '127.0.0.1';
	const local = host === '127.0.0.1' || host === 'localhost' || host === '::1';
	const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
		for (const [name, value] of transportSecurity(request, options.trustProxy === true))
			response.setHeader(name, value);
		if (local && !isLocalHost(request.headers.host)) {
			response.writeHead(421, HEADERS).end();
			return;
		}
		const url = new URL(request.url ?? '/', 'http://localhost');
		for (const handler of options.handlers ?? []) if (await handler(request, response, url)) return;
		await serve(root, request, response, url);
	};
	const server: Server = createServer((request, response) => {
		answer(request, response).catch(() => {
			if (!response.headersSent) response.writeHead(400, HEADERS);
			response.end();
		});
	});
	await new Promise<void>((done, failed) => {
		server.once('error', failed);
		server.listen(options.port, host, done);
	});
	const address = server.address();
	const port = typeof address === 'object' && address ? address.port : options.port;
	return {
		port,
		url: `http://${host === '0.0.0.0' ? 'localhost' : host}:${port}/`,
		close: (grace = 0) =>
			new Promise((done) => {
				const late = setTimeout(() => server.closeAllConnections(), grace);
				// A connection whose request has ended would wait for the next one.
				const idle = setInterval(() => server.closeIdleConnections(), 20);
				server.close(() => {
					clearTimeout(late);
					clearInterval(idle);
					done();
				});
				if (grace === 0) server.closeAllConnections();
			}),
	};
}
