//! The command line, as people and scripts use it: the real program against a real server.

mod audit;
mod bad_input;
mod browse;
mod completion;
mod copy_move;
mod export;
mod files;
mod hostile;
mod iam;
mod import;
mod kms;
mod login;
mod on_a_terminal;
mod policy;
mod removal;
mod rotate;
mod run;
mod signals;
mod support;
mod values;
