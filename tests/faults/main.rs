//! What must hold when things fail: the process is killed, the disk is full, someone looks at the bytes.
#![expect(clippy::expect_used, clippy::print_stdout, clippy::unwrap_used, reason = "these are tests")]
#![expect(clippy::disallowed_methods, reason = "waits for real processes by the real clock")]

mod audit_disk;
mod audit_kill;
mod audit_log;
mod audit_nodes;
mod audit_receivers;
mod audit_retention;
mod audit_sinks;
mod audit_site;
mod canary;
mod canary_identities;
mod canary_keys;
mod canary_login;
mod canary_operator;
mod canary_scopes;
mod canary_sent;
mod canary_transit;
mod database;
mod disk_full;
mod durability;
mod erasure;
mod kill;
mod kill_keys;
mod kill_pruned;
mod kill_scheduled;
mod load;
mod needles;
mod postgres;
mod root_key;
mod stop;
mod strace;
