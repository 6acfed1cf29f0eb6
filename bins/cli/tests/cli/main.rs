//! The command line, as people and scripts use it: the real program against a real server.

mod audit;
mod bad_input;
mod between;
mod browse;
mod completion;
mod copy_move;
mod cut_short;
mod export;
mod files;
mod hostile;
mod iam;
mod import;
mod kms;
mod login;
mod no_room;
mod on_a_terminal;
mod policy;
mod regions_apart;
mod removal;
mod rotate;
mod run;
mod signals;
mod support;
mod values;
