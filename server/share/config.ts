/** Settings of the share service, from the environment. */

import { join, resolve } from 'node:path';
import type { S3Options } from '../blobs/s3.ts';

/** How many requests are answered. */
export interface RateLimits {
	/** Requests of one address a minute. */
	readonly address: number;
	/** Requests by one link a minute. */
	readonly link: number;
	/** Reviews made from one address an hour. */
	readonly create: number;
	/** Unknown tokens shown from one address a minute. */
	readonly guess: number;
}

/** What routes need to know. */
export interface Policy {
	/** Most bytes of a review. */
	readonly quota: number;
	readonly rates: RateLimits;
	/** Balancers in front that append to X-Forwarded-For; 0: the header is not looked at. */
	readonly proxies: number;
	/** Origin at which browsers see the service, where a balancer changes the Host header; undefined: that of the request. */
	readonly origin: string | undefined;
}

/** All settings. */
export interface ShareConfig extends Policy {
	/** Folder of PGlite's data, the blobs, and nothing else. */
	readonly folder: string;
	/** Postgres instead of PGlite. */
	readonly databaseUrl: string | undefined;
	/** A bucket instead of the folder. */
	readonly s3: S3Options | undefined;
	/** Minutes between two rounds of maintenance. */
	readonly maintenanceMinutes: number;
}

/** Defaults; the documentation's table is compared with them by a test. */
export const DEFAULTS = {
	quota: 4 * 1024 ** 3,
	rates: { address: 12_000, link: 12_000, create: 60, guess: 120 },
	maintenanceMinutes: 10,
} as const satisfies Partial<ShareConfig>;

/** Every variable, and what it is for: the documentation's table. */
export const VARIABLES = {
	EMULSION_SHARE_DIR: 'folder of the embedded database and of the blobs (`.share` beside the program)',
	DATABASE_URL: 'a Postgres server (`postgres://…`) instead of the embedded database',
	S3_ENDPOINT:
		'address of an S3-compatible store instead of the blob folder; the other four `S3_` variables go with it',
	S3_BUCKET: 'its bucket, which has to exist',
	S3_REGION: 'its region (`us-east-1`)',
	S3_ACCESS_KEY_ID: 'key to it: list, read, write and delete in that bucket',
	S3_SECRET_ACCESS_KEY: 'the secret of that key',
	EMULSION_QUOTA: `most bytes of one review (${DEFAULTS.quota})`,
	EMULSION_RATE_ADDRESS: `requests of one address a minute (${DEFAULTS.rates.address}); people in one hall often share one`,
	EMULSION_RATE_LINK: `requests by one link a minute (${DEFAULTS.rates.link}); an open link serves a whole audience`,
	EMULSION_RATE_CREATE: `reviews made from one address an hour (${DEFAULTS.rates.create})`,
	EMULSION_RATE_GUESS: `unknown links tried from one address a minute (${DEFAULTS.rates.guess}); past it the address is refused altogether`,
	EMULSION_TRUST_PROXY:
		'how many balancers in front append to `X-Forwarded-For` (0: the header is ignored); also trusts `X-Forwarded-Proto`',
	EMULSION_ORIGIN: 'origin that browsers see, where a balancer changes the `Host` header',
	EMULSION_MAINTENANCE_MINUTES: `minutes between rounds of maintenance (${DEFAULTS.maintenanceMinutes})`,
	EMULSION_FILES: 'folder of the built editor that `npm run serve` serves (`dist`)',
	HOST: 'address to listen on (`127.0.0.1`: this machine alone)',
	PORT: 'port to listen on (5180)',
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** A variable that has no meaning. */
export class ConfigError extends Error {
	override readonly name = 'ConfigError';
}

function whole(env: Environment, name: keyof typeof VARIABLES, fallback: number, least: number, most: number): number {
	const text = env[name];
	if (text === undefined || text === '') return fallback;
	const value = Number(text);
	if (/^\d{1,15}$/.test(text) && value >= least && value <= most) return value;
	throw new ConfigError(`${name}: expected a whole number from ${least} to ${most}, got "${text}"`);
}

function s3Of(env: Environment): S3Options | undefined {
	const text = (name: keyof typeof VARIABLES): string => env[name] ?? '';
	const endpoint = text('S3_ENDPOINT');
	if (endpoint === '') return undefined;
	if (!URL.canParse(endpoint) || !/^https?:/.test(endpoint)) {
		throw new ConfigError(`S3_ENDPOINT: expected an address like https://s3.example.org, got "${endpoint}"`);
	}
	for (const name of ['S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] as const) {
		if (text(name) === '') throw new ConfigError(`${name} is missing: it goes with S3_ENDPOINT`);
	}
	return {
		endpoint,
		bucket: text('S3_BUCKET'),
		region: text('S3_REGION') || 'us-east-1',
		accessKeyId: text('S3_ACCESS_KEY_ID'),
		secretAccessKey: text('S3_SECRET_ACCESS_KEY'),
	};
}

function originOf(env: Environment): string | undefined {
	const text = env['EMULSION_ORIGIN'];
	if (text === undefined || text === '') return undefined;
	if (URL.canParse(text) && new URL(text).origin === text) return text;
	throw new ConfigError(`EMULSION_ORIGIN: expected an origin like https://films.example.org, got "${text}"`);
}

/** Settings from the environment. @param root Folder of the program, for the default folder. @throws ConfigError */
export function shareConfig(env: Environment, root: string): ShareConfig {
	const databaseUrl = env['DATABASE_URL'];
	if (databaseUrl !== undefined && databaseUrl !== '' && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
		throw new ConfigError('DATABASE_URL: expected postgres://…');
	}
	const million = 1_000_000;
	return {
		folder: env['EMULSION_SHARE_DIR'] ? resolve(env['EMULSION_SHARE_DIR']) : join(root, '.share'),
		databaseUrl: databaseUrl === '' ? undefined : databaseUrl,
		s3: s3Of(env),
		quota: whole(env, 'EMULSION_QUOTA', DEFAULTS.quota, 1, 2 ** 50 - 1),
		rates: {
			address: whole(env, 'EMULSION_RATE_ADDRESS', DEFAULTS.rates.address, 1, million),
			link: whole(env, 'EMULSION_RATE_LINK', DEFAULTS.rates.link, 1, million),
			create: whole(env, 'EMULSION_RATE_CREATE', DEFAULTS.rates.create, 1, million),
			guess: whole(env, 'EMULSION_RATE_GUESS', DEFAULTS.rates.guess, 1, million),
		},
		proxies: whole(env, 'EMULSION_TRUST_PROXY', 0, 0, 10),
		origin: originOf(env),
		maintenanceMinutes: whole(env, 'EMULSION_MAINTENANCE_MINUTES', DEFAULTS.maintenanceMinutes, 1, 24 * 60),
	};
}
