//! The same on PostgreSQL, and what can only happen there: the database server stops, hangs up, is full, slow or in the way.

mod audit_log;
mod canary;
mod choice;
mod connections;
mod cut;
mod deadlock;
mod disk_full;
mod erasure;
mod hang;
mod kill;
mod locks;
mod place;
mod proxy;
mod restart;
mod rights;
mod schema;
mod session;
mod settings;
mod start;

pub(crate) use audit_log::audit_log;
