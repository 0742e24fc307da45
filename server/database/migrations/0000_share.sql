CREATE TABLE reviews (
	id text PRIMARY KEY,
	blind boolean NOT NULL,
	state text NOT NULL CHECK (state IN ('draft', 'open', 'closed')),
	manifest text,
	owner_object text,
	created_at bigint NOT NULL,
	expires_at bigint NOT NULL,
	storage_used bigint NOT NULL CHECK (storage_used >= 0),
	vote_seq bigint NOT NULL,
	note_seq bigint NOT NULL
) WITH (fillfactor = 50);
--> statement-breakpoint
CREATE INDEX reviews_expires ON reviews (expires_at);
--> statement-breakpoint
CREATE TABLE links (
	id text PRIMARY KEY,
	review text NOT NULL REFERENCES reviews (id) ON DELETE CASCADE,
	place integer NOT NULL,
	token_hash text NOT NULL CONSTRAINT links_token_hash UNIQUE,
	role text NOT NULL CHECK (role IN ('owner', 'commenter', 'voter', 'viewer')),
	once boolean NOT NULL,
	passphrase boolean NOT NULL,
	wrapped_key text NOT NULL,
	label text NOT NULL,
	created_at bigint NOT NULL,
	expires_at bigint,
	revoked_at bigint,
	used_at bigint
);
--> statement-breakpoint
CREATE INDEX links_review ON links (review, place);
--> statement-breakpoint
CREATE TABLE objects (
	review text NOT NULL REFERENCES reviews (id) ON DELETE CASCADE,
	id text NOT NULL,
	uid text NOT NULL CONSTRAINT objects_uid UNIQUE,
	size bigint NOT NULL,
	chunks integer NOT NULL,
	completed_at bigint,
	owner_only boolean NOT NULL,
	CONSTRAINT objects_key PRIMARY KEY (review, id)
);
--> statement-breakpoint
CREATE TABLE chunks (
	object text NOT NULL REFERENCES objects (uid) ON DELETE CASCADE,
	place integer NOT NULL,
	sha256 text NOT NULL,
	CONSTRAINT chunks_key PRIMARY KEY (object, place)
);
--> statement-breakpoint
CREATE TABLE presentations (
	review text NOT NULL REFERENCES reviews (id) ON DELETE CASCADE,
	id text NOT NULL,
	CONSTRAINT presentations_key PRIMARY KEY (review, id)
);
--> statement-breakpoint
CREATE TABLE notes (
	review text NOT NULL REFERENCES reviews (id) ON DELETE CASCADE,
	id text NOT NULL,
	seq bigint NOT NULL,
	author text NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	revision integer NOT NULL,
	body text,
	key text,
	CONSTRAINT notes_key PRIMARY KEY (review, id)
);
--> statement-breakpoint
CREATE INDEX notes_seq ON notes (review, seq);
--> statement-breakpoint
CREATE TABLE votes (
	review text NOT NULL REFERENCES reviews (id) ON DELETE CASCADE,
	voter text NOT NULL,
	presentation text NOT NULL,
	link text NOT NULL,
	once boolean NOT NULL,
	choice text NOT NULL CHECK (choice IN ('left', 'right', 'tie')),
	left_object text NOT NULL,
	right_object text NOT NULL,
	position integer NOT NULL,
	viewed_ms integer NOT NULL,
	plays integer NOT NULL,
	reason text NOT NULL,
	revision integer NOT NULL,
	seq bigint NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	key text,
	CONSTRAINT votes_key PRIMARY KEY (review, voter, presentation)
);
--> statement-breakpoint
CREATE INDEX votes_seq ON votes (review, seq);
--> statement-breakpoint
CREATE TABLE doomed (
	prefix text PRIMARY KEY,
	since bigint NOT NULL
);
--> statement-breakpoint
CREATE UNLOGGED TABLE rates (
	key text PRIMARY KEY,
	count integer NOT NULL,
	until bigint NOT NULL
) WITH (fillfactor = 50);
--> statement-breakpoint
CREATE INDEX rates_until ON rates (until);
--> statement-breakpoint
CREATE TABLE settings (
	name text PRIMARY KEY,
	value text NOT NULL
);
--> statement-breakpoint
INSERT INTO settings (name, value) VALUES ('salt', gen_random_uuid()::text || gen_random_uuid()::text);
