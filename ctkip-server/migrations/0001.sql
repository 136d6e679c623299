-- {OCTETS}, {NUMBER}, {NUMBERED} and {TIGHT} are what they are called in each database. Times are seconds since
-- 1970-01-01 UTC.

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value {OCTETS} NOT NULL
);

CREATE TABLE rsa_key (
    id {OCTETS} NOT NULL PRIMARY KEY,
    sealed {OCTETS} NOT NULL,
    bits BIGINT NOT NULL,
    created BIGINT NOT NULL,
    retired BIGINT
);

CREATE TABLE enrolment (
    id {NUMBER} PRIMARY KEY,
    -- The last of its codes.
    code {OCTETS} NOT NULL,
    serial TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    service TEXT NOT NULL,
    digits BIGINT NOT NULL,
    period BIGINT NOT NULL,
    pin_type BIGINT NOT NULL,
    add_pin BIGINT NOT NULL,
    expires TEXT NOT NULL,
    device TEXT,
    dialect TEXT NOT NULL,
    created BIGINT NOT NULL,
    revoked BIGINT
);

CREATE INDEX enrolment_owner ON enrolment (owner);

CREATE TABLE code (
    tag {OCTETS} NOT NULL PRIMARY KEY,
    enrolment BIGINT NOT NULL REFERENCES enrolment (id),
    rsa_key {OCTETS} NOT NULL REFERENCES rsa_key (id),
    length BIGINT NOT NULL,
    expiry BIGINT NOT NULL,
    spent BIGINT,
    withdrawn BIGINT
) {TIGHT};

CREATE INDEX code_enrolment ON code (enrolment);

-- That a code yields at most one token is this table's primary key.
CREATE TABLE token (
    code {OCTETS} NOT NULL PRIMARY KEY REFERENCES code (tag),
    session {OCTETS} NOT NULL,
    digest {OCTETS} NOT NULL,
    -- Sealed; empty once the token was revoked.
    seed {OCTETS} NOT NULL,
    committed BIGINT NOT NULL,
    confirmed BIGINT,
    step BIGINT,
    revoked BIGINT
) {TIGHT};

CREATE TABLE guess (
    -- Where wrong codes came from; empty for all together.
    source TEXT NOT NULL,
    since BIGINT NOT NULL,
    wrong BIGINT NOT NULL,
    PRIMARY KEY (source, since)
) {TIGHT};

CREATE TABLE audit (
    id {NUMBERED},
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    serial TEXT NOT NULL,
    source TEXT NOT NULL,
    detail TEXT NOT NULL
);
