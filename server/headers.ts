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
