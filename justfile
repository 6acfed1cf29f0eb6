# List the recipes.
default:
    @just --list --unsorted

# Run everything that must hold, or some stages: `just test e2e docs`.
test *stages:
    scripts/test {{ stages }}

# Format all code.
fmt:
    cargo fmt --all

# Check the format and run the lints.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Build the documentation of all crates.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace --locked

# Start a development server with everything in ./strongroom-data: `just dev --listen 127.0.0.1:8300`.
dev *arguments:
    cargo run -p strongroomd -- dev {{ arguments }}

# Run a command with a PostgreSQL cluster around it that its tests share: `just postgres cargo nextest run -p strongroom-store-sql`.
postgres *command:
    cargo build --locked -p strongroom-test-postgres
    target/debug/strongroom-test-postgres run -- {{ command }}

# Measure reveal and put against a bare hyper server of the same run.
bench *arguments:
    cargo run --release -p strongroom-tests --bin bench -- {{ arguments }}

# Measure a decision of the evaluator among 1,000 rules.
bench-iam:
    cargo bench -p strongroom-domain --bench decide

# Measure every operation of every key type through the software KMS against the bare library.
bench-kms:
    cargo bench -p strongroom-kms-local --bench key_types

# Measure what the audit log costs: reveals and puts with it as it is, against the same server without it.
bench-audit-cost *arguments:
    cargo bench -p strongroom-tests --bench audit_cost -- {{ arguments }}

# Measure the first page of the audit log for each of its filters, among a million records (`--records N`), on both databases.
bench-audit *arguments:
    cargo bench -p strongroom-tests --bench audit_queries -- {{ arguments }}

# Kill the server in its work, many times, on both databases: what was acknowledged is there, with exactly its audit records.
kills times="200":
    cargo build --workspace --all-targets --locked
    STRONGROOM_KILLS={{ times }} cargo nextest run --profile long --workspace --locked -E 'binary_id(strongroom-tests::faults) & test(kill)'

# Tamper with the audit log in many random ways, on both databases: verification names the first bad record each time.
tampering histories="300":
    PROPTEST_CASES={{ histories }} cargo nextest run --profile long --workspace --locked -E 'binary_id(strongroom-tests::audit_tamper)'

# Hold a live server against its OpenAPI document, with schemathesis.
schemathesis *options:
    scripts/schemathesis {{ options }}

# Check dependencies: advisories (needs the network), bans, licences, sources.
deny:
    command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
    cargo deny check
