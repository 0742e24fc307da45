import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

/** Response headers that every server of the app sends: cross-origin isolation (SharedArrayBuffer) and the strict CSP. */
export const SECURITY_HEADERS = {
	isolation: {
		'Cross-Origin-Opener-Policy': 'same-origin',
		'Cross-Origin-Embedder-Policy': 'require-corp',
		'Cross-Origin-Resource-Policy': 'same-origin',
	},
	policy: {
		'Content-Security-Policy': [
			"default-src 'none'",
			"script-src 'self' 'wasm-unsafe-eval'",
			"worker-src 'self'",
			"connect-src 'self'",
			"img-src 'self' blob: data:",
			"media-src 'self' blob:",
			"style-src 'self'",
			"font-src 'self'",
			"manifest-src 'self'",
			"base-uri 'none'",
			"form-action 'none'",
			"frame-ancestors 'none'",
		].join('; '),
		'Referrer-Policy': 'no-referrer',
		'X-Content-Type-Options': 'nosniff',
	},
} as const;

/** A year, as RFC 6797 and the browsers' lists want it at least. */
const HSTS = 'max-age=31536000';

/**
 * Strict-Transport-Security for a request that came by TLS; browsers ignore it elsewhere, and so it is not sent there.
 * @param trustProxy A balancer in front says by X-Forwarded-Proto how the request came.
 */
export function transportSecurity(
	request: IncomingMessage,
	trustProxy: boolean,
): readonly (readonly [string, string])[] {
	const forwarded = String(request.headers['x-forwarded-proto'] ?? '')
		.split(',')
		.at(-1)
		?.trim();
	const secure = (request.socket as Partial<TLSSocket>).encrypted === true || (trustProxy && forwarded === 'https');
	return secure ? [['Strict-Transport-Security', HSTS]] : [];
}
