#![doc = include_str!("../README.md")]

mod answers;
mod audit;
mod cache;
pub mod embed;
mod engine;
mod envelope;
mod error;
mod failures;
mod floods;
mod gates;
mod generations;
mod housekeeping;
pub mod kms;
mod metrics;
mod regions;
pub mod secret;
mod session;
pub mod setup;

pub use answers::{Idempotency, Outcome};
pub use engine::{Engine, Limits, Ports};
pub use envelope::ValueInput;
pub use error::{Code, Error};
pub use session::{Identified, Needs, OrganisationSession, Reached, Service, Session, Target};
pub use strongroom_domain as domain;
