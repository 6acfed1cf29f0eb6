//! Identity and access management on the wire, by real tokens.

mod explain;
mod federation;
mod foreign;
mod granted;
pub(crate) mod installation;
mod logins;
mod matrix;
mod me;
mod memberships;
mod operator;
mod projects;
mod service_accounts;
mod teams;
mod tokens;
mod users;
